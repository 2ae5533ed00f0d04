"""A person asks, reads, stops, and asks again."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import EngineError
from ctxchat.domain.events import Prefilled, TextGenerated
from ctxchat.tui.app import ChatApp
from tests.support.chats import SIZE, Chats, ask, seen, send, until
from tests.support.scripted import ScriptedModel
from tests.support.stillness import Gate
from tests.support.written_costs import WrittenCosts


def in_chat(
    app: ChatApp, body: Callable[[Any], Coroutine[Any, Any, None]], size: tuple[int, int] = SIZE
) -> None:
    """Run a test's body in a chat."""

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await body(pilot)

    asyncio.run(run())


def test_a_question_is_answered_and_its_receipt_stands_under_it(chats: Chats) -> None:
    app = chats.open(ScriptedModel(["It **is** blue."]))

    async def body(pilot: Any) -> None:
        await ask(pilot, "What colour is the sky?")
        screen = seen(app)
        assert "What colour is the sky?" in screen
        assert "It is blue." in screen
        assert "15 out" in screen
        assert "KV " in screen

    in_chat(app, body)


def test_what_was_said_stands_there_again_when_the_chat_is_opened_again(chats: Chats) -> None:
    first, second = chats.open(ScriptedModel(["One."])), chats.open(resume=True)

    async def asking(pilot: Any) -> None:
        await ask(pilot, "Say one.")

    async def looking(pilot: Any) -> None:
        await until(pilot, lambda: second.chat.transcript.turns)
        assert "Say one." in seen(second)
        assert "One." in seen(second)

    in_chat(first, asking)
    in_chat(second, looking)


@pytest.mark.parametrize("kind", [Prefilled, TextGenerated])
def test_escape_stops_in_any_phase_and_what_there_is_of_the_answer_is_kept(chats: Chats, kind: type) -> None:
    gate = Gate(lambda event: isinstance(event, kind) and getattr(event, "done", 1) > 0)
    app = chats.open(ScriptedModel(["A long answer."], on_event=gate))

    async def body(pilot: Any) -> None:
        await send(pilot, "Tell me.")
        await until(pilot, gate.reached.is_set)
        await pilot.press("escape")
        gate.opened.set()
        await until(pilot, lambda: not app.chat.busy)
        assert app.chat.transcript.turns[-1].shown.finish is Finish.CANCELLED
        assert "stopped" in seen(app)

    in_chat(app, body)


def test_a_second_question_waits_and_can_be_taken_back(chats: Chats) -> None:
    gate = Gate(lambda event: isinstance(event, TextGenerated))
    app = chats.open(ScriptedModel(["First.", "Second."], on_event=gate))

    async def body(pilot: Any) -> None:
        await send(pilot, "One?")
        await until(pilot, gate.reached.is_set)
        await send(pilot, "Two?")
        await send(pilot, "Three?")
        assert "waits: Two?" in seen(app)
        app.chat.take_back()
        assert app.chat.composer.draft.text == "Three?"
        gate.opened.set()
        await until(pilot, lambda: len(app.chat.transcript.turns) == 2 and not app.chat.busy)
        assert app.chat.transcript.turns[-1].shown.answer == "Second."

    in_chat(app, body)


def test_a_calibration_is_shown_and_a_question_does_not_wait_for_it(chats: Chats) -> None:
    """The calibration goes on until it is cancelled: were it waited for, there would be no answer."""
    stopped = threading.Event()

    def calibrating(cancel: Cancel) -> None:
        with cancel.calling(stopped.set):
            assert stopped.wait(30)

    model = ScriptedModel(["First.", "Second."], calibrating=calibrating)
    model.costs = costs = WrittenCosts(None)
    costs.stale = True
    app = chats.open(model)

    async def body(pilot: Any) -> None:
        await send(pilot, "One?")
        await until(pilot, lambda: "measuring what work costs here" in seen(app))
        assert not app.chat.busy
        costs.stale = False
        await ask(pilot, "Two?")
        assert stopped.is_set()
        assert app.chat.transcript.turns[-1].shown.answer == "Second."
        await until(pilot, lambda: "measuring" not in seen(app))

    in_chat(app, body)


def test_a_model_that_fails_says_so_under_the_question_and_gives_the_question_back(chats: Chats) -> None:
    app = chats.open(ScriptedModel([EngineError("the model fell over")]))

    async def body(pilot: Any) -> None:
        await ask(pilot, "Are you well?")
        await until(pilot, lambda: "the model fell over" in seen(app))
        assert app.chat.composer.draft.text == "Are you well?"

    in_chat(app, body)


def test_quitting_in_the_middle_of_an_answer_keeps_what_there_is_of_it(chats: Chats) -> None:
    gate = Gate(lambda event: isinstance(event, TextGenerated) and event.text == "f")
    app = chats.open(ScriptedModel(["Half an answer that is long"], on_event=gate))

    async def body(pilot: Any) -> None:
        await send(pilot, "Tell me.")
        await until(pilot, gate.reached.is_set)
        stop = app.chat.work.stop

        def stop_and_go_on(seconds: float) -> bool:
            app.chat.work.cancel()
            gate.opened.set()
            return stop(seconds)

        app.chat.work.stop = stop_and_go_on  # type: ignore[method-assign]
        await pilot.press("ctrl+q")

    in_chat(app, body)
    assert app.return_value == 0
    assert app.stopped
    latest = app.services.conversations.transcript(None).messages[-1]
    assert latest.finish is Finish.CANCELLED
    assert latest.spoken.startswith("H")


def test_a_large_paste_becomes_an_attachment_and_a_file_can_be_named_in_the_question(
    chats: Chats, tmp_path: Path
) -> None:
    from textual.events import Paste

    app = chats.open(ScriptedModel(["Read."]))
    file = tmp_path / "notes.txt"
    file.write_text("keys are under the mat")

    async def body(pilot: Any) -> None:
        app.chat.composer.area.post_message(Paste("x" * 3000))
        await until(pilot, lambda: app.chat.composer.draft.attachments)
        assert "pasted-1.txt" in seen(app)
        await pilot.press("backspace")
        await pilot.pause()
        assert not app.chat.composer.draft.attachments
        await ask(pilot, f"Where are the keys? @{file}")
        assert app.chat.transcript.turns[-1].shown.attached == (str(file),)

    in_chat(app, body)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 50)])
def test_the_word_kv_and_the_tokens_used_stand_on_the_screen_at_every_size(
    chats: Chats, size: tuple[int, int]
) -> None:
    app = chats.open(ScriptedModel(["Yes."]))

    async def body(pilot: Any) -> None:
        await ask(pilot, "Is it?")
        cells = app.services.chat.model.cache.cells()
        assert f"KV {cells:,}/2,048" in seen(app)

    in_chat(app, body, size)
