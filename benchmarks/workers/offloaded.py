"""What the workers of `gpu.py` share: the model as the first argument says it is run, and their report.

llama.cpp comes first of all libraries: a build that holds a C++ library of its own does not bear another
that was loaded before it.
"""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import Compacted, PromptBuilt, Restored, TurnEvent, TurnFinished
from ctxchat.domain.receipt import Receipt
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.llama.bindings import library
from ctxchat.service.chat import ChatService
from ctxchat.service.request import AskRequest
from ctxchat.settings.load import load_settings
from ctxchat.settings.schema import Settings

library()
SPEC: dict[str, Any] = json.loads(sys.argv[1])
WORDS = ("amber", "birch", "cloud", "delta", "field", "grain", "harbour", "iris", "kettle", "lamp", "north")


@dataclass
class Turn:
    """What one turn gave out."""

    receipt: Receipt
    compactions: int = 0
    evaluated_aside: int = 0
    restored: int = 0
    problems: list[str] = field(default_factory=list)


def settings(window: int, **flags: object) -> Settings:
    """Options under their keys, with `__` for the dot."""
    typed = {key.replace("__", "."): value for key, value in flags.items()}
    run = {"model.path": SPEC["model"], "model.n_gpu_layers": SPEC["layers"], "model.ctx_size": window}
    return load_settings({**run, **SPEC["flags"], **typed})


def greedy(tokens: int) -> Sampling:
    return Sampling(temperature=0.0, max_tokens=tokens)


def ask(service: ChatService, request: AskRequest, *, tidy: bool = False) -> Turn:
    """One turn, and with `tidy` what is done behind it; every prompt is checked."""
    turn = Turn(Receipt("", None))
    for event in _events(service, request, tidy=tidy):
        match event:
            case PromptBuilt(prompt):
                if sum(prompt.sections.values()) != prompt.total:
                    turn.problems.append(f"sections do not add up to {prompt.total}")
                if prompt.total > prompt.usable:
                    turn.problems.append(f"{prompt.total} tokens, and {prompt.usable} may be used")
            case Compacted(evaluated=evaluated):
                turn.compactions += 1
                turn.evaluated_aside += evaluated
            case Restored(restored):
                turn.restored = restored
            case TurnFinished(receipt):
                turn.receipt = receipt
                if receipt.error:
                    turn.problems.append(receipt.error.message)
                elif not _is_whole(receipt):
                    turn.problems.append("reused and evaluated tokens are not the prompt")
            case _:
                pass
    return turn


def report(figures: dict[str, Any]) -> None:
    """Write the figures as the last line of stdout, and end the process."""
    sys.stdout.flush()
    os.write(1, f"\n{json.dumps(figures)}\n".encode())


def _events(service: ChatService, request: AskRequest, *, tidy: bool) -> Iterator[TurnEvent]:
    yield from service.ask(request, Cancel())
    if tidy:
        yield from service.tidy(Cancel())


def _is_whole(receipt: Receipt) -> bool:
    kv, prompt = receipt.kv, receipt.prompt
    return kv is not None and prompt is not None and kv.reused + kv.evaluated == prompt.total
