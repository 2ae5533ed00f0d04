"""llama-server: a list of ids as the prompt of its own completion."""

from collections.abc import Mapping
from typing import Any

from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import Usage
from ctxchat.domain.model import Generation
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.server.address import Address
from ctxchat.engine.server.dialects.constraints import grammar_for
from ctxchat.engine.server.dialects.dialect import Delta, Request, error_in
from ctxchat.engine.server.probing import Probed
from ctxchat.engine.server.refusals import Refusal


class LlamaServerDialect:
    takes_ids = True
    reads_alone = True
    block = 1

    def request(self, generation: Generation, probed: Probed, address: Address) -> Request:
        body: dict[str, object] = {
            "model": probed.model,
            "prompt": list(generation.ids),
            "n_predict": generation.limit,
            "stream": True,
            "return_tokens": True,
            "return_progress": True,
            "cache_prompt": True,
            **_named(generation.sampling),
        }
        if generation.constraint:
            body["grammar"] = grammar_for(generation, generation.constraint)
        return Request(f"{address.root}/completion", body)

    def reader(self) -> "LlamaServerReader":
        return LlamaServerReader()

    def adapts(self, refusal: Refusal) -> bool:  # noqa: ARG002 - of the protocol
        return False


class LlamaServerReader:
    """Counts what was decoded: a token that ends within a character is not sent."""

    def __init__(self) -> None:
        self._decoded = 0

    def read(self, chunk: Mapping[str, Any], /) -> Delta:
        if error := error_in(chunk):
            return Delta(error=error)
        if progress := chunk.get("prompt_progress"):
            return Delta(
                read=progress.get("processed"), usage=Usage(progress.get("total"), progress.get("cache"))
            )
        decoded = chunk.get("tokens_predicted") or self._decoded
        ids = tuple(token for token in chunk.get("tokens") or () if token >= 0)
        unseen = max(0, decoded - self._decoded - len(ids)) if ids else 0
        self._decoded = decoded
        ended = chunk.get("stop") is True
        return Delta(
            text=chunk.get("content") or "",
            ids=ids,
            unseen=unseen,
            finish=_finish(chunk) if ended else None,
            usage=_usage(chunk) if ended else None,
        )


def _finish(chunk: Mapping[str, Any]) -> Finish:
    return Finish.LENGTH if chunk.get("stop_type") == "limit" else Finish.STOP


def _usage(chunk: Mapping[str, Any]) -> Usage:
    timings = chunk.get("timings") or {}
    return Usage(chunk.get("tokens_evaluated"), timings.get("cache_n"), chunk.get("tokens_predicted"))


def _named(sampling: Sampling) -> dict[str, object]:
    """Sampling under llama.cpp's names, which are ours."""
    return {
        "temperature": sampling.temperature,
        "top_k": sampling.top_k,
        "top_p": sampling.top_p,
        "min_p": sampling.min_p,
        "typical_p": sampling.typical_p,
        "repeat_penalty": sampling.repeat_penalty,
        "repeat_last_n": sampling.repeat_last_n,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "seed": -1 if sampling.seed is None else sampling.seed,
    }
