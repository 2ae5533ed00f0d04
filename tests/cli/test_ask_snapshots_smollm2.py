"""The real small model goes on in new processes as if it had never stopped; the long form is a benchmark."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import TurnFinished
from ctxchat.service import wiring
from ctxchat.service.request import AskRequest
from ctxchat.settings.load import load_settings
from tests.cli.conftest import Ran

pytestmark = pytest.mark.model

TOLD = " ".join(f"On day {day} the keeper of Fowey changed a lamp for a bell." for day in range(18))
QUESTIONS = (TOLD, "What was changed?", "And by whom?")
SETTINGS = {
    "model.ctx_size": 2048,
    "model.threads": 1,
    "model.threads_batch": 1,
    "model.batch_size": 128,
    "model.ubatch_size": 128,
    "sampling.temperature": 0.0,
    "sampling.max_tokens": 12,
}
CELLS = {
    "f16": {"kv.type_k": "f16", "kv.type_v": "f16", "kv.flash_attn": "off"},
    "q8_0": {"kv.type_k": "q8_0", "kv.type_v": "q8_0", "kv.flash_attn": "on"},
}


@pytest.mark.parametrize("kind", CELLS)
def test_every_turn_in_a_new_process_says_what_one_process_would(
    home: Path, smollm2: Path, run: Callable[..., Ran], kind: str
) -> None:
    settings = {"model.path": str(smollm2), **SETTINGS, **CELLS[kind]}
    variables = {f"CTXCHAT_{path.replace('.', '_').upper()}": str(value) for path, value in settings.items()}
    receipts = [
        json.loads(run("ask", "--json", "--session", "apart", question, **variables).stdout)
        for question in QUESTIONS
    ]
    assert [receipt["answer"] for receipt in receipts] == unbroken(settings)
    for former, later in pairwise(receipts):
        assert later["kv"]["restored"] == later["kv"]["reused"] >= 0.95 * former["kv"]["cells"]
        assert later["kv"]["evaluated"] < 40


def unbroken(settings: dict[str, Any]) -> list[str]:
    """The answers of one process, which needs nothing from the disk."""
    loaded = load_settings({**settings, "kv.max_disk": 0})
    service = wiring.chat_service(loaded)
    answers: list[str] = []
    for question in QUESTIONS:
        request = AskRequest(question, session="unbroken", sampling=loaded.sampling)
        for event in [*service.ask(request, Cancel()), *service.tidy(Cancel())]:
            if isinstance(event, TurnFinished):
                assert event.receipt.error is None
                answers.append(event.receipt.answer)
    service.close()
    return answers
