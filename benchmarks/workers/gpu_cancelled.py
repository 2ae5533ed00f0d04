"""How long a turn goes on once it is cancelled, while it reads a long prompt and while it decodes."""

import random
import time

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import Prefilled, TextGenerated, TurnEvent, TurnFinished
from ctxchat.service import wiring
from ctxchat.service.chat import ChatService
from ctxchat.service.request import AskRequest
from offloaded import SPEC, WORDS, greedy, report, settings

order, seen = random.Random(3), list[dict[str, object]]()
problems: list[str] = []


def cancelled(service: ChatService, number: int, *, decoding: bool) -> None:
    """Cancel from a thread of its own, at a moment that falls anywhere in a computation."""
    text = " ".join(order.choices(WORDS, k=40 if decoding else SPEC["words"]))
    request = AskRequest(f"{number} {text}", record=False, memory=False, sampling=greedy(400))
    cancel, requested, at, finish = Cancel(), 0.0, 0, None
    began = time.monotonic()
    for event in service.ask(request, cancel):
        if not requested and is_moment(event, decoding=decoding):
            time.sleep(order.random() * SPEC["jitter"])
            at = event.done if isinstance(event, Prefilled) else 0
            requested = time.monotonic()
            cancel.request()
        elif isinstance(event, TurnFinished):
            finish = event.receipt.finish
            if event.receipt.error:
                problems.append(event.receipt.error.message)
    ended = time.monotonic()
    if not requested:
        problems.append("the turn was over before it was cancelled")
        return
    kind = "decode" if decoding else "prefill"
    seen.append(
        {"in": kind, "seconds": ended - requested, "after": requested - began, "at": at, "finish": finish}
    )


def is_moment(event: TurnEvent, *, decoding: bool) -> bool:
    if decoding:
        return isinstance(event, TextGenerated)
    return isinstance(event, Prefilled) and event.total * 0.3 < event.done < event.total


run = settings(SPEC["window"], kv__max_disk=0)
service = wiring.chat_service(run, one_shot=False)
for number in range(SPEC["rounds"]):
    cancelled(service, number, decoding=False)
for number in range(SPEC["rounds"]):
    cancelled(service, number, decoding=True)
service.close()
report({"cancelled": seen, "problems": problems})
