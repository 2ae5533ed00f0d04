"""One process of a conversation that is reopened: `stage` tells it to hold the first turn and keep its
cells, or to ask the second and write nothing, `with` the cells that are on disk, the way that is `chosen`
once it is known what both take, or `without` those cells, which are removed."""

import shutil
import time

from ctxchat import locations
from ctxchat.domain.cancel import Cancel
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.service import wiring
from ctxchat.service.request import AskRequest
from ctxchat.service.wiring import models
from offloaded import SPEC, WORDS, ask, greedy, report, settings

first = SPEC["stage"] == "first"
if SPEC["stage"] == "without":
    shutil.rmtree(locations.data_folder() / "kv")
run = settings(SPEC["window"])
if first:
    header = LlamaModel(models.model_path(run), wiring.engine_options(run, one_shot=False))
    list(header.load(Cancel(), weights=False))
    if header.costs.curve() is None:
        wiring.bench_service(run).calibrate(Cancel())
service = wiring.chat_service(run)
if first:
    text = " ".join(WORDS[place * place % 97 % len(WORDS)] for place in range(SPEC["words"]))
    request = AskRequest(f"Read this: {text}. Say it shorter.", session="kept", sampling=greedy(16))
else:
    question = "Tell me what you have read, at length, as a story."
    request = AskRequest(
        question, session="kept", record=False, memory=False, sampling=greedy(SPEC["answer"])
    )
began = time.monotonic()
turn = ask(service, request, tidy=first)
seconds = time.monotonic() - began
if SPEC["stage"] == "with" and service.model and service.model.costs:
    service.model.costs.learn()
service.close()
receipt = turn.receipt
report(
    {
        "prompt": receipt.prompt.total if receipt.prompt else 0,
        "held": receipt.kv.cells if receipt.kv else 0,
        "restored": receipt.kv.restored if receipt.kv else 0,
        "evaluated": receipt.kv.evaluated if receipt.kv else 0,
        "miss": receipt.kv.miss if receipt.kv else None,
        "first_token": receipt.latency.first_token,
        "answer": receipt.answer,
        "seconds": seconds,
        "problems": turn.problems,
    }
)
