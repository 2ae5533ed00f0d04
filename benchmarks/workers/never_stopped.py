"""One process that answers every question of a conversation, as `ctxchat ask` would: on stdin a JSON list
of questions, on stdout one of the answers' texts."""

import json
import sys

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import TurnFinished
from ctxchat.service import wiring
from ctxchat.service.request import AskRequest
from ctxchat.settings.load import load_settings

settings = load_settings({})
service = wiring.chat_service(settings)
answers = []
for question in json.load(sys.stdin):
    request = AskRequest(question, session="unbroken", sampling=settings.sampling)
    for event in [*service.ask(request, Cancel()), *service.tidy(Cancel())]:
        if isinstance(event, TurnFinished):
            assert event.receipt.error is None, event.receipt.error
            answers.append(event.receipt.answer)
service.close()
print(json.dumps(answers))
