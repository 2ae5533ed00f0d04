"""One of the conversations that are held at once: says when it is ready, and begins at a line of stdin."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from ctxchat.engine.llama.bindings import library

library()

from server_chat import SYSTEM_PLANS, Target, asked, at_home, at_server, questions, short, system_text  # noqa: E402

from ctxchat.domain.cancel import Cancel  # noqa: E402
from ctxchat.service.request import AskRequest  # noqa: E402

spec = json.loads(sys.argv[1])
at_home(Path(spec["home"]))
gguf = Path(spec["gguf"]) if spec["gguf"] else None
service, _ = at_server(Target(spec["url"], spec["model"], gguf, spec["window"]))
for _ in service.load(Cancel()):
    pass
os.write(1, b"ready\n")
if not sys.stdin.readline():
    sys.exit("nobody waits for it any more")
rows = []
said = questions(spec["turns"], notes=False, first=SYSTEM_PLANS + 10 * spec["number"])
system = f"You speak to visitor {spec['number'] + 1}.\n{system_text()}"
for number, question in enumerate(said, 1):
    begins = system if number == 1 else None
    request = AskRequest(question, session="talk", system=begins, sampling=short())
    row, _ = asked(service, number, request)
    rows.append(asdict(row) | {"share": row.share})
service.close()
os.write(1, f"\n{json.dumps(rows)}\n".encode())
