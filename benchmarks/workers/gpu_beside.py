"""Prefill and decode through the engine, and by a bare loop over the same file, in turn.

A case is a number of tokens that are read behind so many cells, and then tokens are decoded, greedily.
Last, whole turns of the service, against the bare loop behind as many cells. Both use the same threads, and
neither drafts: what drafts gain is told by `speculation.py`, and would hide here what we add.
"""

import random
import time
from dataclasses import asdict
from math import sqrt
from statistics import median
from typing import Any

from bare_context import BareContext, Took
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import Generated, Prefilled, TurnFinished
from ctxchat.domain.model import Generation
from ctxchat.engine.llama.cells import BRANCH, CHAT
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.service import wiring
from ctxchat.service.chat import ChatService
from ctxchat.service.request import AskRequest
from ctxchat.service.wiring import models
from offloaded import SPEC, WORDS, greedy, report, settings

QUESTION = "Write a long story about a lighthouse keeper and the sea, and number {}."


def ours(model: LlamaModel, ids: list[int], tokens: int, depth: int = 0) -> Took:
    """One generation behind what is held of `depth` tokens and no other cells, timed by the events it gives
    out: the bare loop carries no branch that was left either."""
    model.cache.trim(CHAT, min(depth, model.cache.cells()))
    model.cache.drop(BRANCH)
    at: list[tuple[float, float]] = []
    for event in model.generate(Generation(ids, greedy(tokens), tokens), Cancel()):
        ends = isinstance(event, Generated)
        if ends or (isinstance(event, Prefilled) and event.done in (0, event.total)):
            at.append((time.monotonic(), time.process_time()))
    return took(at, model.cache.cells() - len(ids))


def turn(service: ChatService, number: int, tokens: int) -> tuple[Took, int]:
    """One turn that is not recorded, and the tokens of its prompt."""
    at: list[tuple[float, float]] = []
    request = AskRequest(QUESTION.format(number), record=False, memory=False, sampling=greedy(tokens))
    for event in service.ask(request, Cancel()):
        if isinstance(event, TurnFinished) or (
            isinstance(event, Prefilled) and event.done in (0, event.total)
        ):
            at.append((time.monotonic(), time.process_time()))
    assert isinstance(event, TurnFinished)
    assert event.receipt.prompt, event.receipt.error
    return took(at, event.receipt.answer_tokens or 0), event.receipt.prompt.total


def took(at: list[tuple[float, float]], decoded: int) -> Took:
    (began, cpu), (read, read_cpu), (ended, ended_cpu) = at
    return Took(read - began, ended - read, read_cpu - cpu, ended_cpu - read_cpu, decoded)


def judged(pairs: list[tuple[Took, Took]], n: int, depth: int) -> dict[str, Any]:
    """Medians of both, and the medians of their ratios and differences, ours first."""
    both = [(a, b) for a, b in pairs if a.decoded]
    return {
        "n": n,
        "depth": depth,
        "rounds": len(both),
        "decoded": [a.decoded for a, _ in both],
        "prefill": [n / median(one.prefill for one in side) for side in zip(*both, strict=True)],
        **estimated("prefill ratio", "prefill error", [b.prefill / a.prefill for a, b in both]),
        "decode": [median(one.decoded / one.decode for one in side) for side in zip(*both, strict=True)],
        **estimated(
            "decode ratio", "decode error", [(b.decode / b.decoded) / (a.decode / a.decoded) for a, b in both]
        ),
        **estimated(
            "overhead", "overhead error", [a.decode / a.decoded - b.decode / b.decoded for a, b in both]
        ),
        "raw": [(asdict(a), asdict(b)) for a, b in both],
    }


def estimated(value: str, error: str, seen: list[float]) -> dict[str, float]:
    """The median, and by how much it is likely to be off, from how far its values lie from it."""
    middle = median(seen)
    spread = median(abs(one - middle) for one in seen)
    return {value: middle, error: NORMAL * spread / sqrt(len(seen))}


NORMAL = 1.253 * 1.483
"""Deviations of a median, and of values by their median distance from it, where they are normal."""

order = random.Random(1)
tokens, rounds = SPEC["answer"], SPEC["rounds"]
deepest = max(depth + n for depth, n in SPEC["cases"])
fixed = (
    {"model__threads": SPEC["threads"], "model__threads_batch": SPEC["threads"]} if SPEC["threads"] else {}
)
run = settings(deepest + tokens + 256, kv__max_disk=0, **fixed)
model = LlamaModel(models.model_path(run), wiring.engine_options(run, one_shot=False))
for _ in model.load(Cancel()):
    pass
list(model.calibrate(Cancel(), 10))
model.cache.speculation = "off"
threads = model.costs.threads if model.costs else model.resolved.threads
bare = BareContext(
    SPEC["model"],
    model.resolved.n_gpu_layers,
    model.resolved.window,
    (threads.decode, threads.prefill),
    flash=model.resolved.flash_attn,
    split=tuple(SPEC["flags"].get("model.tensor_split", ())),
)
text = " ".join(order.choices(WORDS, k=deepest + 64))
base = list(model.vocabulary.encode(text, special=False))
cases = []
for depth, n in SPEC["cases"]:
    pairs = []
    bare.keep(0)
    if depth:
        bare.read(base[:depth])
        model.cache.trim(CHAT, 0)  # Else what was read before becomes a branch, and these lie behind it.
        ours(model, base[: depth + 1], 1, depth)
    for number in range(rounds + 1):
        fresh = order.sample(base, n)
        bare.keep(depth)
        if number % 2:
            theirs, mine = bare.timed(fresh, tokens), ours(model, [*base[:depth], *fresh], tokens, depth)
        else:
            mine, theirs = ours(model, [*base[:depth], *fresh], tokens, depth), bare.timed(fresh, tokens)
        if number:
            pairs.append((mine, theirs))
    cases.append(judged(pairs, n, depth))
model.close()
run = settings(
    deepest + tokens + 256,
    kv__max_disk=0,
    model__speculation="off",
    model__threads=threads.decode,
    model__threads_batch=threads.prefill,
)
service, pairs, prompt = wiring.chat_service(run, one_shot=False), [], 0
for number in range(rounds + 1):
    mine, prompt = turn(service, number, tokens)
    bare.keep(0)
    theirs = bare.timed(base[:prompt], tokens)
    if number:
        pairs.append((mine, theirs))
service.close()
whole = judged(pairs, prompt, 0)
report({"cases": cases, "turn": whole, "threads": [threads.decode, threads.prefill], "problems": []})
