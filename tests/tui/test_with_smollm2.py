"""The terminal UI over the real small model."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from ctxchat.display.receipt_line import receipt_line
from ctxchat.domain.conversation import Finish
from ctxchat.service import wiring
from ctxchat.settings.load import load_settings
from ctxchat.tui.app import ChatApp
from ctxchat.tui.chat.transcript import FoldedLine
from ctxchat.tui.start import Start
from tests.support.chats import SIZE, ask, read, seen, send, until

pytestmark = [pytest.mark.model, pytest.mark.timeout(300)]
ASKED = (
    "Tell me something about the number {}: where it is found, who was fond of it, and what it is good for."
)


@pytest.fixture
def chat_over(home: Path, smollm2: Path) -> Callable[..., ChatApp]:
    """Makes a chat over the real model, in a window of so many tokens."""

    def make(window: int, answer: int = 8) -> ChatApp:
        flags = {"model.path": str(smollm2), "model.ctx_size": window, "sampling.max_tokens": answer}
        flags |= {"model.threads": 1, "model.threads_batch": 1}
        settings = load_settings(flags)
        return ChatApp(wiring.open_services, Start(read, lambda: settings))

    return make


def in_chat(app: ChatApp, body: Callable[[Any], Awaitable[None]]) -> None:
    async def run() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await body(pilot)
            await pilot.press("ctrl+q")

    asyncio.run(run())
    app.services.close()


def test_the_numbers_under_an_answer_are_those_of_its_receipt(chat_over: Callable[..., ChatApp]) -> None:
    app = chat_over(1024)

    async def body(pilot: Any) -> None:
        await ask(pilot, "Name three colours.")
        (view,), (receipt,) = app.chat.transcript.turns, app.receipts
        assert receipt.prompt
        assert receipt.kv
        assert view.shown.answer == receipt.answer
        assert view.shown.about == receipt_line(receipt)
        assert f"{receipt.prompt.total:,} in · {receipt.answer_tokens:,} out" in seen(app)
        assert receipt.kv.cells >= receipt.prompt.total + (receipt.answer_tokens or 0)
        assert f"KV {receipt.kv.cells:,}/1,024" in seen(app)

    in_chat(app, body)


def test_a_stop_while_a_prompt_is_read_keeps_the_question_and_the_next_one_is_answered(
    chat_over: Callable[..., ChatApp],
) -> None:
    app = chat_over(2048)

    async def body(pilot: Any) -> None:
        await send(pilot, "Sum this up: " + "the wind was in the reeds. " * 180)
        await until(pilot, lambda: "reading" in seen(app))
        await pilot.press("escape")
        await until(pilot, lambda: not app.chat.busy)
        shown = app.chat.transcript.turns[-1].shown
        assert shown.finish is Finish.CANCELLED
        assert shown.answer == ""
        assert shown.question.startswith("Sum this up")
        kept = app.services.conversations.transcript(app.asking.conversation).messages
        assert next(message.spoken for message in kept if message.spoken).startswith("Sum this up")
        await ask(pilot, "Say hello.")
        assert app.chat.transcript.turns[-1].shown.answer

    in_chat(app, body)


def test_a_conversation_goes_on_past_a_compaction_and_a_line_says_so(
    chat_over: Callable[..., ChatApp],
) -> None:
    app = chat_over(512)

    async def body(pilot: Any) -> None:
        for number in range(1, 13):
            await ask(pilot, ASKED.format(number))
            await until(pilot, lambda: not (app.chat.work._current or app.chat.work._waiting))
            await pilot.pause()
            if app.chat.transcript.query(FoldedLine):
                break
        assert "folded the oldest" in seen(app)
        turns = len(app.chat.transcript.turns)
        await ask(pilot, "And the last of them?")
        assert len(app.chat.transcript.turns) == turns + 1
        assert app.chat.transcript.turns[-1].shown.answer
        prompt = app.receipts[-1].prompt
        assert prompt
        assert prompt.sections["summary"] > 0

    in_chat(app, body)
