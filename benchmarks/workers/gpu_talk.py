"""A conversation in a small window: every prompt checked, and what was read, decoded and folded."""

import time

from ctxchat.domain.sampling import Sampling
from ctxchat.service import wiring
from ctxchat.service.request import AskRequest
from offloaded import SPEC, WORDS, ask, report, settings

window, turns, answer = SPEC["window"], SPEC["turns"], SPEC["answer"]
service = wiring.chat_service(settings(window), one_shot=False)
problems: list[str] = []
compactions = evaluated = reused = decoded = 0
began = time.monotonic()
for number in range(turns):
    words = " ".join(WORDS[(number * 7 + place * place) % len(WORDS)] for place in range(SPEC["words"]))
    question = f"Note {number}: {words}. What stands out in note {number}, and what was in the one before?"
    sampling = Sampling(temperature=0.7, seed=number, max_tokens=answer)
    turn = ask(service, AskRequest(question, session="talk", sampling=sampling), tidy=True)
    problems += [f"turn {number + 1}: {problem}" for problem in turn.problems]
    compactions += turn.compactions
    evaluated += turn.evaluated_aside
    decoded += turn.receipt.answer_tokens or 0
    if turn.receipt.kv:
        evaluated += turn.receipt.kv.evaluated
        reused += turn.receipt.kv.reused
service.close()
if not compactions:
    problems.append("nothing was folded")
report(
    {
        "turns": turns,
        "window": window,
        "compactions": compactions,
        "evaluated": evaluated,
        "reused": reused,
        "decoded": decoded,
        "seconds": time.monotonic() - began,
        "problems": problems,
    }
)
