"""Forty turns with the real small model in a window of 1,024; the long form is a benchmark."""

from itertools import pairwise
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import Compacted, PromptBuilt, TurnFinished
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.sampling import Sampling
from ctxchat.service import wiring
from ctxchat.service.request import AskRequest
from ctxchat.settings.load import load_settings

pytestmark = [pytest.mark.model, pytest.mark.timeout(300)]
WINDOW, TURNS, ANSWER = 1024, 40, 8
ASKED = (
    "Tell me something about the number {}: where it is found, who was fond of it, and what it is good for."
)
TOLD = "I am Ingrid Solheim, my locker is 4711 and my thesis lies in /home/ingrid/thesis.tex."


def test_forty_turns_in_a_small_window(home: Path, smollm2: Path) -> None:
    flags = {
        "model.path": str(smollm2),
        "model.ctx_size": WINDOW,
        "model.threads": 1,
        "model.threads_batch": 1,
    }
    chat = wiring.chat_service(load_settings(flags), one_shot=False)
    prompts: list[Prompt] = []
    folded: list[int] = []
    evaluated = 0
    for number in range(1, TURNS + 1):
        sampling = Sampling(temperature=0.7, seed=number, max_tokens=ANSWER)
        question = TOLD if number == 3 else ASKED.format(number)
        events = [
            *chat.ask(AskRequest(question, resume=True, sampling=sampling, memory=False), Cancel()),
            *chat.tidy(Cancel()),
        ]
        for event in events:
            if isinstance(event, PromptBuilt):
                prompts.append(event.prompt)
            elif isinstance(event, Compacted):
                folded.append(number)
                evaluated += event.evaluated
            elif isinstance(event, TurnFinished):
                assert event.receipt.error is None
                assert event.receipt.kv
                evaluated += event.receipt.kv.evaluated
    chat.close()
    assert all(prompt.total + prompt.reserve <= WINDOW for prompt in prompts)
    assert len(folded) >= 2
    assert all(later - former > 1 for former, later in pairwise(folded))
    summary = "".join(piece.text for piece in prompts[-1].pieces if piece.section == "summary")
    for fact in ("Ingrid Solheim", "4711", "/home/ingrid/thesis.tex"):
        assert fact in summary
    assert evaluated < 0.2 * sum(prompt.total for prompt in prompts)
