"""The answer of `ticking_chat short`, by `ChatService` alone. `REPORT NAME`."""

import json
import sys
from pathlib import Path

import smol
from asked import question
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import TurnFinished
from ctxchat.domain.sampling import Sampling
from ctxchat.service import wiring
from ctxchat.service.request import AskRequest
from ctxchat.settings.load import load_settings

settings = load_settings(
    {
        "model.path": str(smol.path()),
        "model.threads": 1,
        "model.threads_batch": 1,
        "model.ctx_size": 8192,
    }
)
chat = wiring.open_services(settings).chat
for _ in chat.load(Cancel()):
    pass
request = AskRequest(question(), session=sys.argv[2], sampling=Sampling(temperature=0.0, max_tokens=128))
for event in chat.ask(request, Cancel()):
    if isinstance(event, TurnFinished):
        Path(sys.argv[1]).write_text(json.dumps({"decode": event.receipt.latency.decode_rate}), "utf-8")
