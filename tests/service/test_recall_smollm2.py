"""What was said long ago, before a question that needs it, with the real small model in a small window."""

from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Section
from ctxchat.domain.events import TurnFinished
from ctxchat.domain.receipt import Receipt
from ctxchat.domain.sampling import Sampling
from ctxchat.service import wiring
from ctxchat.service.request import AskRequest
from ctxchat.settings.load import load_settings

pytestmark = [pytest.mark.model, pytest.mark.timeout(300)]
WINDOW, ANSWER = 1024, 24
TOLD = "By the way, a grey heron has built its nest behind the old mill, near the third willow."


def test_what_was_said_long_ago_is_before_the_question_that_needs_it(home: Path, smollm2: Path) -> None:
    flags = {
        "model.path": str(smollm2),
        "model.ctx_size": WINDOW,
        "model.threads": 1,
        "model.threads_batch": 1,
    }
    chat = wiring.chat_service(load_settings(flags), one_shot=False)

    def ask(question: str, seed: int) -> Receipt:
        sampling = Sampling(temperature=0.7, seed=seed, max_tokens=ANSWER)
        events = list(chat.ask(AskRequest(question, resume=True, sampling=sampling), Cancel()))
        list(chat.tidy(Cancel()))
        assert isinstance(events[-1], TurnFinished)
        assert events[-1].receipt.error is None
        return events[-1].receipt

    ask(TOLD, 1)
    turn = 1
    while (receipt_before := ask(f"Tell me something about the number {turn}.", turn)).prompt:
        turn += 1
        if receipt_before.prompt.summarized_turns >= 12:
            break
    greeting = ask("Thank you!", 98)
    found = ask("Where did the heron build its nest?", 99)
    again = ask("And which willow?", 100)
    chat.close()

    assert greeting.notes == ()
    for receipt in (found, again):
        assert receipt.prompt
        assert receipt.prompt.total <= receipt.prompt.usable
        noted = [piece for piece in receipt.prompt.pieces if piece.section is Section.NOTES]
        assert TOLD in [piece.text for piece in noted]
        assert sum(len(piece.ids) for piece in noted) <= 0.1 * receipt.prompt.usable
    assert found.notes[0].label not in {note.label for note in receipt_before.notes}
    assert again.kv
    assert again.prompt
    assert again.kv.reused >= 0.8 * again.prompt.total
