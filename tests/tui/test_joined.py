"""Screens over the services, what they are closed with, and what is there again after quitting."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from ctxchat.context.attachments import Attachment
from ctxchat.service import wiring
from ctxchat.settings.load import load_settings
from ctxchat.tui import unsent
from ctxchat.tui.app import ChatApp
from ctxchat.tui.chat.transcript import FoldedLine
from ctxchat.tui.chat.written import Written
from ctxchat.tui.start import Start
from tests.support.chats import Chats, ask, read, seen, send, until
from tests.support.scripted import ScriptedModel
from tests.support.tiny_gguf import Shape, write_tiny_gguf

Body = Callable[[Any], Coroutine[Any, Any, None]]


def in_chat(app: ChatApp, body: Body) -> None:
    async def run() -> None:
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            await body(pilot)

    asyncio.run(run())


async def opens(pilot: Any, command: str, words: str) -> None:
    """A command opens a screen that shows this; Escape closes it."""
    app = pilot.app
    await send(pilot, command)
    await until(pilot, lambda: app.screen is not app.chat and words in seen(app))
    await pilot.press("escape")
    await until(pilot, lambda: app.screen is app.chat and not app.chat.work.working)


@pytest.fixture
def real(home: Path) -> ChatApp:
    """A chat over all services and two tiny models."""
    folder = home / "data" / "ctxchat" / "models"
    folder.mkdir(parents=True)
    write_tiny_gguf(folder / "alpha.gguf", Shape(says="Hi."))
    write_tiny_gguf(folder / "beta.gguf", Shape(says="Yo!", seed=3))

    def settings() -> Any:
        return load_settings({"model.path": str(folder / "alpha.gguf"), "model.threads": "1"})

    services = wiring.open_services(settings())
    return ChatApp(lambda _: services, Start(read, settings))


def test_every_screen_opens_over_the_real_services(real: ChatApp) -> None:
    async def body(pilot: Any) -> None:
        await ask(pilot, "One?")
        for command, words in (
            ("/help", "Commands and keys"),
            ("/model", "beta"),
            ("/notes", "Notes"),
            ("/conversations", "One?"),
            ("/settings", "sampling.temperature"),
            ("/plan", "budget"),
            ("/context", "question"),
            ("/summary", "all of it is sent word for word"),
        ):
            await opens(pilot, command, words)

    in_chat(real, body)
    real.services.close()


def test_another_model_goes_on_with_the_conversation(real: ChatApp) -> None:
    async def body(pilot: Any) -> None:
        await ask(pilot, "One?")
        held = real.asking.conversation
        await send(pilot, "/model beta")
        await until(pilot, lambda: "beta" in str(real.services.chat.model.facts.path))
        await until(pilot, lambda: not real.chat.work.working)
        await ask(pilot, "Two?")
        assert [turn.shown.answer for turn in real.chat.transcript.turns] == ["Hi.", "Yo!"]
        assert real.asking.conversation == held

    in_chat(real, body)
    real.services.close()


def test_what_is_remembered_and_a_note_are_forgotten(real: ChatApp, tmp_path: Path) -> None:
    async def body(pilot: Any) -> None:
        await send(pilot, "/remember the key is under the mat")
        memory, notes = real.services.memory, real.services.notes
        await until(pilot, lambda: "remembered, in all" in seen(real))
        await send(pilot, f"/forget {memory.listing()[0].id}")
        await until(pilot, lambda: not memory.listing())
        list(notes.add_text(b"water the plants", "plants", "home"))
        await send(pilot, f"/forget {notes.listing('home')[0].id}")
        await until(pilot, lambda: not notes.listing(None))

    in_chat(real, body)
    real.services.close()


def test_a_setting_of_the_next_question_holds_at_once(real: ChatApp) -> None:
    async def body(pilot: Any) -> None:
        await send(pilot, "/settings")
        await until(pilot, lambda: "sampling.temperature" in seen(real))
        await pilot.press(*"sampling.temperature", "enter")
        await until(pilot, lambda: "holds from the next question on" in seen(real))
        await pilot.press("ctrl+u", *"0.25", "enter")
        await until(pilot, lambda: "is written" in seen(real))
        await pilot.press("escape")
        await until(pilot, lambda: real.asking.sampling.temperature == 0.25)

    in_chat(real, body)


def lines(app: ChatApp) -> list[FoldedLine]:
    return [child for child in app.chat.transcript.children if isinstance(child, FoldedLine)]


def test_what_was_folded_is_a_line_that_opens_the_summary_and_goes_when_it_is_taken_back(
    chats: Chats,
) -> None:
    model = ScriptedModel(["One.", "Two.", "A summary that is longer than what was said."])
    app = chats.open(model)

    async def body(pilot: Any) -> None:
        await ask(pilot, "First?")
        await ask(pilot, "Second?")
        await send(pilot, "/compact the harbour")
        await until(pilot, lambda: lines(app) and "tokens" in seen(app))
        asked = model.vocabulary.text(model.generations[-1].ids)
        assert "the harbour" in asked
        lines(app)[0].focus()
        await pilot.press("enter")
        await until(pilot, lambda: "First? Answer: One." in seen(app))
        await pilot.press("u")
        await until(pilot, lambda: "Take it back" in seen(app))
        await pilot.press("y")
        await until(pilot, lambda: "undone" in seen(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat and not lines(app))
        assert [turn.shown.answer for turn in app.chat.transcript.turns] == ["One.", "Two."]
        assert all(turn.shown.about for turn in app.chat.transcript.turns)

    in_chat(app, body)


def test_a_conversation_that_is_opened_again_says_what_was_folded_and_what_it_saved(chats: Chats) -> None:
    first = chats.open(ScriptedModel(["One.", "Two.", "A summary that is longer than what was said."]))

    async def folding(pilot: Any) -> None:
        await ask(pilot, "First?")
        await ask(pilot, "Second?")
        await send(pilot, "/compact")
        await until(pilot, lambda: lines(first))

    in_chat(first, folding)
    second = chats.open(resume=True)

    async def looking(pilot: Any) -> None:
        await until(pilot, lambda: "folded turn 1 into a summary, by rule" in seen(second))
        await until(pilot, lambda: "what was said: 10 → 25 tokens" in seen(second))
        places = list(second.chat.transcript.children)
        assert places.index(lines(second)[0]) == places.index(second.chat.transcript.turns[0]) + 1

    in_chat(second, looking)


def test_what_was_not_sent_is_there_again_after_quitting(chats: Chats) -> None:
    first = chats.open(ScriptedModel(["One."]))

    async def leaving(pilot: Any) -> None:
        await ask(pilot, "First?")
        first.chat.hold_back(Written("And this?"))
        first.chat.composer.write(Written("Half a qu", (Attachment("a.txt", "text"),)))
        await pilot.press("ctrl+q")

    in_chat(first, leaving)
    second = chats.open(resume=True)

    async def coming(pilot: Any) -> None:
        await until(pilot, lambda: second.chat.composer.draft.text == "Half a qu")
        assert second.chat.composer.draft.attachments == (Attachment("a.txt", "text"),)
        assert [one.text for one in second.chat.waiting] == ["And this?"]
        second.chat.composer.write(Written(""))
        second.chat.take_back()
        second.chat.composer.write(Written(""))
        await pilot.press("ctrl+q")

    in_chat(second, coming)
    assert not unsent.kept(first.asking.conversation)


def test_what_was_not_sent_in_one_conversation_is_not_in_another(chats: Chats) -> None:
    first = chats.open(ScriptedModel(["One."]))

    async def leaving(pilot: Any) -> None:
        await ask(pilot, "First?")
        first.chat.composer.write(Written("Half a qu"))
        await pilot.press("ctrl+q")

    in_chat(first, leaving)
    assert unsent.kept(None) == []
    assert list(unsent.conversations()) == [first.asking.conversation]
