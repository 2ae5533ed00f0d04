"""What goes wrong is said, and leads on: no failure ends the chat."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import EngineError
from ctxchat.domain.events import EngineEvent, TextGenerated
from ctxchat.service import wiring
from ctxchat.settings.load import load_settings
from ctxchat.settings.schema import Settings
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from ctxchat.tui.app import ChatApp
from ctxchat.tui.screens.failure import FailureScreen
from ctxchat.tui.screens.models import ModelsScreen
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


async def failing(pilot: Any, words: str) -> None:
    """Wait for the screen that says what went wrong."""
    app = pilot.app
    await until(pilot, lambda: isinstance(app.screen, FailureScreen) and words in seen(app))


def missing(folder: Path) -> Path:
    return folder / "nowhere.gguf"


def cut(folder: Path) -> Path:
    path = write_tiny_gguf(folder / "cut.gguf")
    path.write_bytes(path.read_bytes()[:-1000])
    return path


def unknown(folder: Path) -> Path:
    path = write_tiny_gguf(folder / "unknown.gguf")
    path.write_bytes(path.read_bytes().replace(b"llama", b"xlama"))
    return path


@pytest.mark.parametrize("broken", [missing, cut, unknown])
def test_a_model_that_cannot_be_loaded_leads_to_another_and_the_question_is_kept(
    home: Path, tmp_path: Path, broken: Callable[[Path], Path]
) -> None:
    folder = home / "data" / "ctxchat" / "models"
    folder.mkdir(parents=True)
    write_tiny_gguf(folder / "good.gguf", Shape(says="Hi."))
    path = broken(tmp_path)
    services = wiring.open_services(load_settings({"model.path": str(path), "model.threads": "1"}))
    app = ChatApp(services.settings, lambda: services, Start(read, Settings))

    async def body(pilot: Any) -> None:
        await failing(pilot, "The model cannot be used")
        assert path.stem in seen(app)
        app.chat.composer.set_text("Are you there?")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, ModelsScreen) and "good" in seen(app))
        await pilot.press(*"good", "enter")
        await until(pilot, lambda: app.services.chat.model and not app.chat.work.working)
        assert app.chat.composer.draft.text == "Are you there?"
        await ask(pilot, "Are you there?")
        assert app.chat.transcript.turns[-1].shown.answer == "Hi."

    in_chat(app, body)
    services.close()


def test_a_model_that_fails_before_it_answers_is_asked_again(chats: Chats) -> None:
    app = chats.open(ScriptedModel([EngineError("the model fell over"), "Yes."]))

    async def body(pilot: Any) -> None:
        await send(pilot, "Are you well?")
        await failing(pilot, "the model fell over")
        assert app.chat.composer.draft.text == "Are you well?"
        await pilot.press("enter")
        await until(pilot, lambda: [t.shown.answer for t in app.chat.transcript.turns] == ["Yes."])
        await until(pilot, lambda: not app.chat.busy)
        assert app.chat.composer.draft.text == ""

    in_chat(app, body)
    assert [message.spoken for message in chats.desk.path()] == ["Are you well?", "Yes."]


def test_an_error_in_the_middle_keeps_what_there_is_of_the_answer_and_asks_again(chats: Chats) -> None:
    fallen = threading.Event()

    def fall(event: EngineEvent) -> None:
        if isinstance(event, TextGenerated) and event.text == "l" and not fallen.is_set():
            fallen.set()
            raise EngineError("the cells are gone")

    app = chats.open(ScriptedModel(["Half an answer", "A whole answer"], on_event=fall))

    async def body(pilot: Any) -> None:
        await send(pilot, "Tell me.")
        await failing(pilot, "the cells are gone")
        assert chats.desk.path()[-1].finish is Finish.ERROR
        assert chats.desk.path()[-1].spoken == "Ha"
        await pilot.press("enter")
        await until(pilot, lambda: [t.shown.answer for t in app.chat.transcript.turns] == ["A whole answer"])
        await until(pilot, lambda: not app.chat.busy)

    in_chat(app, body)


def test_a_question_that_waits_is_not_asked_behind_one_that_failed(chats: Chats) -> None:
    gate = threading.Event()
    model = ScriptedModel(
        [EngineError("the model fell over"), "One.", "Two."], on_event=lambda _: bool(gate.wait(30))
    )
    app = chats.open(model)

    async def body(pilot: Any) -> None:
        await send(pilot, "One?")
        await send(pilot, "Two?")
        gate.set()
        await failing(pilot, "the model fell over")
        assert [one.text for one in app.chat.waiting] == ["Two?"]
        await pilot.press("enter")
        await until(pilot, lambda: [t.shown.answer for t in app.chat.transcript.turns] == ["One.", "Two."])

    in_chat(app, body)


def test_a_conversation_that_another_process_holds_can_wait_or_be_left(chats: Chats) -> None:
    app = chats.open(ScriptedModel(["One.", "Two.", "Three."]))

    async def body(pilot: Any) -> None:
        await ask(pilot, "One?")
        other = SqliteConversations(Database(chats.desk.database.path), wait=30)
        held = app.asking.conversation
        await pilot.app.chat.work.call(lambda: None)
        with other.hold(held):
            await send(pilot, "Two?")
            await failing(pilot, "The record cannot be used")
            assert app.chat.composer.draft.text == "Two?"
        await pilot.press("enter")
        await until(pilot, lambda: [t.shown.answer for t in app.chat.transcript.turns] == ["One.", "Two."])
        await until(pilot, lambda: not app.chat.busy)
        await pilot.app.chat.work.call(lambda: None)
        with other.hold(held):
            await send(pilot, "Three?")
            await failing(pilot, "The record cannot be used")
            await pilot.press("tab", "enter")
            await until(pilot, lambda: app.asking.conversation is None)
            assert app.chat.composer.draft.text == "Three?"
            await ask(pilot, "Three?")
            assert app.asking.conversation != held

    in_chat(app, body)


def test_a_store_that_another_process_has_locked_can_wait(
    chats: Chats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctxchat.store.database._BUSY_SECONDS", 0.05)
    app = chats.open(ScriptedModel(["One.", "Two."]))

    async def body(pilot: Any) -> None:
        await ask(pilot, "One?")
        await pilot.app.chat.work.call(lambda: None)
        with closing(sqlite3.connect(chats.desk.database.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await send(pilot, "Two?")
            await failing(pilot, "is being written by another process")
            assert app.chat.composer.draft.text == "Two?"
        await pilot.press("enter")
        await until(pilot, lambda: [t.shown.answer for t in app.chat.transcript.turns] == ["One.", "Two."])

    in_chat(app, body)


def test_a_full_disk_keeps_the_question_until_there_is_room(chats: Chats) -> None:
    app = chats.open(ScriptedModel(["One.", "Two."], window=200_000))

    async def body(pilot: Any) -> None:
        await ask(pilot, "One?")
        question = "Two? " + "x" * 19_000
        with chats.desk.database.reading() as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")
        await send(pilot, question)
        await failing(pilot, "the disk is full")
        assert app.chat.composer.draft.text == question
        with chats.desk.database.reading() as connection:
            connection.execute("PRAGMA max_page_count = 100000")
        await pilot.press("enter")
        await until(pilot, lambda: [t.shown.answer for t in app.chat.transcript.turns] == ["One.", "Two."])

    in_chat(app, body)


def test_a_store_that_cannot_be_opened_leads_to_a_failure_and_keeps_the_words(chats: Chats) -> None:
    app = chats.open(resume=True, words="Are you there?")
    chats.desk.database.path.write_bytes(b"no store at all" * 100)

    async def body(pilot: Any) -> None:
        await failing(pilot, "is damaged, or no store")
        assert app.chat.composer.draft.text == "Are you there?"
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)

    in_chat(app, body)
