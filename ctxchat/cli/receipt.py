"""A receipt as the JSON object that other programs are written against.

Every key is always there; what is not known, and a part that was never reached, is null.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import Citation, FilterStep, KvCost, Latency, Predicted, Receipt

Json = dict[str, object]


def receipt_json(receipt: Receipt) -> Json:
    """The object of `ask --json`."""
    sent = receipt.finish is not None
    return {
        "answer": receipt.answer if sent else None,
        "reasoning": receipt.reasoning,
        "finish": receipt.finish,
        "error": asdict(receipt.error) if receipt.error else None,
        "model": {"name": receipt.model_name, "path": receipt.model_path},
        "session": receipt.session,
        "prompt": prompt_json(receipt.prompt, receipt.attention_pairs) if receipt.prompt else None,
        "filters": filters_json(receipt.filters),
        "kv": kv_json(receipt.kv) if receipt.kv else None,
        "memory": asdict(receipt.memory) if receipt.memory else None,
        "latency": latency_json(receipt.latency if sent else Latency()),
        "predicted": predicted_json(receipt.predicted),
        "cost": asdict(receipt.cost) if receipt.cost else None,
        "answer_tokens": receipt.answer_tokens,
        "notes": notes_json(receipt.notes),
        "speculation": asdict(receipt.speculation) if receipt.speculation else None,
    }


def prompt_json(prompt: Prompt, attention_pairs: int | None) -> Json:
    return {
        "window": prompt.window,
        "reserve": prompt.reserve,
        "total": prompt.total,
        "exact": prompt.exact,
        "sections": dict(prompt.sections),
        "dropped": [asdict(dropped) for dropped in prompt.dropped],
        "summarized_turns": prompt.summarized_turns,
        "verbatim_turns": prompt.verbatim_turns,
        "attention_pairs": attention_pairs,
    }


def kv_json(kv: KvCost) -> Json:
    return {
        "cells": kv.cells,
        "capacity": kv.capacity,
        "reused": kv.reused,
        "evaluated": kv.evaluated,
        "restored": kv.restored,
        "bytes": kv.bytes,
        "bytes_per_token": kv.bytes_per_token,
        "type_k": kv.type_k,
        "type_v": kv.type_v,
        "miss": kv.miss,
    }


def latency_json(latency: Latency) -> Json:
    return {
        "load": latency.load,
        "retrieval": latency.retrieval,
        "compaction": latency.compaction,
        "prefill": latency.prefill,
        "first_token": latency.first_token,
        "decode": latency.decode,
        "total": latency.total,
        "prefill_tokens_per_second": latency.prefill_rate,
        "decode_tokens_per_second": latency.decode_rate,
    }


def predicted_json(predicted: Predicted) -> Mapping[str, object]:
    return {"prefill": predicted.prefill, "decode_per_token": predicted.decode_per_token}


def filters_json(steps: Iterable[FilterStep]) -> list[Json]:
    """Steps of three keys; `exact` is told only of one that is not."""
    return [_step_json(step) for step in steps]


def _step_json(step: FilterStep) -> Json:
    told: Json = {"rule": step.rule, "before": step.before, "after": step.after}
    return told if step.exact else told | {"exact": False}


def notes_json(notes: Iterable[Citation]) -> list[Json]:
    return [asdict(note) for note in notes]
