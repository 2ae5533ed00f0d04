"""The turn of `ctxchat ask`, as the command line runs it."""

import sys

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import TextGenerated, TurnFinished
from ctxchat.domain.sampling import Sampling
from ctxchat.service import wiring
from ctxchat.service.request import AskRequest
from ctxchat.settings.load import load_settings
from smol import reported

question, tokens = sys.argv[1], int(sys.argv[2])
settings = load_settings({"model.threads": 1, "model.threads_batch": 1})
sampling = Sampling(temperature=0.0, max_tokens=tokens + 1)
events = wiring.chat_service(settings).ask(AskRequest(question, record=False, sampling=sampling), Cancel())
for event in events:
    if isinstance(event, TextGenerated):
        break
with reported() as decoded:
    for event in events:
        if isinstance(event, TurnFinished):
            decoded.extend([1] * ((event.receipt.answer_tokens or 1) - 1))
