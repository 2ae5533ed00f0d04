"""ctxchat in one process: a question a line on stdin, as JSON; on stdout a line when the answer begins, and
one with the tokens that were evaluated when the turn and what is done behind it have ended."""

import json
import sys

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import TextGenerated, TurnFinished
from ctxchat.service import wiring
from ctxchat.service.request import AskRequest
from ctxchat.settings.load import load_settings

settings = load_settings({})
service = wiring.chat_service(settings, one_shot=False)
for line in sys.stdin:
    request = AskRequest(json.loads(line), session="growing", sampling=settings.sampling)
    evaluated, begun = None, False
    for event in service.ask(request, Cancel()):
        if isinstance(event, TextGenerated) and not begun:
            begun = True
            print("begun", flush=True)
        elif isinstance(event, TurnFinished):
            assert event.receipt.kv, event.receipt.error
            evaluated = event.receipt.kv.evaluated
    for _ in service.tidy(Cancel()):
        pass
    print(evaluated, flush=True)
