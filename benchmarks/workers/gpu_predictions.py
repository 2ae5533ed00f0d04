"""What is foretold of a turn against what it took: a conversation, and prompts of random sizes."""

import random
from math import exp, log
from statistics import median, quantiles

from ctxchat.domain.cancel import Cancel
from ctxchat.service import wiring
from ctxchat.service.request import AskRequest
from offloaded import SPEC, WORDS, Turn, ask, greedy, report, settings

LEAST = 32


def errors(pairs: list[tuple[float, float]]) -> dict[str, float | int]:
    off = [abs(foretold / took - 1) for foretold, took in pairs]
    if len(off) < 2:
        return {"n": len(off)}
    bias = median(foretold / took - 1 for foretold, took in pairs)
    return {"n": len(off), "median": median(off), "p90": quantiles(off, n=10)[-1], "bias": bias}


def timed(turn: Turn, kind: str) -> None:
    receipt = turn.receipt
    problems.extend(turn.problems)
    took, foretold = receipt.latency, receipt.predicted
    if took.prefill and foretold.prefill and receipt.kv:
        read[kind].append((foretold.prefill, took.prefill))
        rows.append([kind, receipt.kv.evaluated, receipt.kv.reused, foretold.prefill, took.prefill])
    if took.decode and foretold.decode_per_token and (receipt.answer_tokens or 0) > 2:
        decoded.append((foretold.decode_per_token, took.decode / (receipt.answer_tokens or 1)))


order, problems, rows = random.Random(20), list[str](), list[list[object]]()
read: dict[str, list[tuple[float, float]]] = {"turns": [], "prompts": []}
decoded: list[tuple[float, float]] = []
window, answer = SPEC["window"], SPEC["answer"]
run = settings(window, kv__max_disk=0)
calibration, curve = wiring.bench_service(run).calibrate(Cancel())
service = wiring.chat_service(run, one_shot=False)
for number in range(SPEC["turns"]):
    text = " ".join(order.choices(WORDS, k=order.randrange(20, 200)))
    request = AskRequest(f"{number}. {text}?", session="long", memory=False, sampling=greedy(answer))
    timed(ask(service, request, tidy=True), "turns")
for _ in range(SPEC["prompts"]):
    size = int(exp(order.uniform(log(LEAST), log(window * 0.7))))
    text = " ".join(order.choices(WORDS, k=size))
    request = AskRequest(text, record=False, memory=False, sampling=greedy(answer))
    timed(ask(service, request), "prompts")
service.close()
report(
    {
        "calibration": calibration.seconds,
        "threads": calibration.threads,
        "curve": [curve.k, curve.a, curve.b, curve.c, curve.e] if curve else None,
        "prefill of turns": errors(read["turns"]),
        "prefill of random prompts": errors(read["prompts"]),
        "decode": errors(decoded),
        "rows": rows,
        "problems": problems,
    }
)
