"""Commands, and keys on turns."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from ctxchat.domain.conversation import Finish
from ctxchat.tui.app import ChatApp
from ctxchat.tui.commands import COMMANDS, parsed
from tests.support.chats import SIZE, Chats, ask, seen, send, until
from tests.support.scripted import ScriptedModel

Body = Callable[[Any], Coroutine[Any, Any, None]]


def in_chat(app: ChatApp, body: Body) -> None:
    async def run() -> None:
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            await body(pilot)

    asyncio.run(run())


def answers(app: ChatApp) -> list[str]:
    return [turn.shown.answer for turn in app.chat.transcript.turns]


def questions(app: ChatApp) -> list[str]:
    return [turn.shown.question for turn in app.chat.transcript.turns]


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/pin a b", ("pin", "a b")),
        ("/new", ("new", "")),
        ("why /pin", None),
        ("/usr/bin is what?", None),
        ("//x", None),
    ],
)
def test_a_line_is_a_command_where_it_begins_with_one_word_behind_a_slash(
    line: str, command: tuple[str, str] | None
) -> None:
    assert parsed(line) == command


def test_every_command_has_an_action(chats: Chats) -> None:
    app = chats.open()
    assert all(callable(getattr(app.actions, command.action)) for command in COMMANDS)


def test_a_turn_is_answered_again_and_undone(chats: Chats) -> None:
    app = chats.open(ScriptedModel(["First.", "Second."]))

    async def body(pilot: Any) -> None:
        await ask(pilot, "Well?")
        await pilot.press("ctrl+t", "r")
        await until(pilot, lambda: answers(app) == ["Second."] and not app.chat.busy)
        await send(pilot, "/undo")
        await until(pilot, lambda: answers(app) == ["First."])

    in_chat(app, body)


def test_a_cut_answer_goes_on(chats: Chats) -> None:
    app = chats.open(ScriptedModel(["a" * 300, "the rest"], window=300))

    async def body(pilot: Any) -> None:
        await ask(pilot, "Well?")
        assert app.chat.transcript.turns[-1].shown.finish is Finish.LENGTH
        await pilot.press("ctrl+t", "o")
        await until(pilot, lambda: answers(app)[0].endswith("the rest") and not app.chat.busy)

    in_chat(app, body)


def test_an_edited_question_comes_back_into_the_composer_and_its_turns_go(chats: Chats) -> None:
    app = chats.open(ScriptedModel(["One.", "Two."]))

    async def body(pilot: Any) -> None:
        await ask(pilot, "First?")
        await ask(pilot, "Second?")
        await pilot.press("ctrl+t", "k", "e")
        await until(pilot, lambda: app.chat.composer.draft.text == "First?")
        assert questions(app) == []

    in_chat(app, body)


def test_a_deleted_turn_is_gone_and_comes_back(chats: Chats) -> None:
    app = chats.open(ScriptedModel(["One.", "Two."]))

    async def body(pilot: Any) -> None:
        await ask(pilot, "First?")
        await ask(pilot, "Second?")
        await pilot.press("ctrl+t", "d")
        await until(pilot, lambda: questions(app) == ["First?"])
        await send(pilot, "/undo")
        await until(pilot, lambda: questions(app) == ["First?", "Second?"])

    in_chat(app, body)


def test_a_fork_from_a_turn_holds_what_was_said_up_to_it(chats: Chats) -> None:
    app = chats.open(ScriptedModel(["One.", "Two."]))

    async def body(pilot: Any) -> None:
        await ask(pilot, "First?")
        await ask(pilot, "Second?")
        original = app.asking.conversation
        await pilot.press("ctrl+t", "k", "f")
        await until(pilot, lambda: app.asking.conversation != original)
        await until(pilot, lambda: questions(app) == ["First?"])

    in_chat(app, body)


def test_an_answer_and_its_code_are_copied(chats: Chats) -> None:
    app = chats.open(ScriptedModel(["Do:\n\n```sh\nls -l\n```\n"]))

    async def body(pilot: Any) -> None:
        await ask(pilot, "How?")
        await pilot.press("ctrl+t", "c")
        await until(pilot, lambda: app.clipboard == "ls -l")
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard.startswith("Do:"))

    in_chat(app, body)


def test_a_pin_stands_in_the_conversation_and_a_name_is_shown(chats: Chats) -> None:
    app = chats.open(ScriptedModel(["One."]))

    async def body(pilot: Any) -> None:
        await ask(pilot, "First?")
        await send(pilot, "/pin keep this")
        record = app.services.conversations
        await until(pilot, lambda: record.resolve(app.asking.conversation).pins)
        await send(pilot, "/rename harbour")
        await until(pilot, lambda: "harbour" in seen(app))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: app.asking.conversation is None)
        assert "new conversation" in seen(app)

    in_chat(app, body)


def test_a_conversation_is_exported(chats: Chats, tmp_path: Path) -> None:
    app = chats.open(ScriptedModel(["One."]))
    file = tmp_path / "out.md"

    async def body(pilot: Any) -> None:
        await ask(pilot, "First?")
        await send(pilot, f"/export {file}")
        await until(pilot, file.exists)

    in_chat(app, body)
    assert "First?" in file.read_text()


def test_old_turns_are_folded_on_demand_and_the_transcript_says_so(chats: Chats) -> None:
    app = chats.open(ScriptedModel(["One.", "Two.", "A summary of what was said so far."]))

    async def body(pilot: Any) -> None:
        await ask(pilot, "First?")
        await ask(pilot, "Second?")
        await send(pilot, "/compact")
        await until(pilot, lambda: "folded the oldest" in seen(app))

    in_chat(app, body)


def test_an_unknown_command_names_the_nearest_and_stays_in_the_composer(chats: Chats) -> None:
    app = chats.open()

    async def body(pilot: Any) -> None:
        await send(pilot, "/forkk")
        await until(pilot, lambda: "did you mean /fork" in seen(app))
        assert app.chat.composer.draft.text == "/forkk"

    in_chat(app, body)


def test_a_command_is_completed_and_done(chats: Chats) -> None:
    app = chats.open()

    async def body(pilot: Any) -> None:
        await pilot.press("/", "t", "h", "i")
        await until(pilot, lambda: "/think" in seen(app))
        await pilot.press("tab", "o", "f", "f", "enter")
        await until(pilot, lambda: app.asking.think is False)

    in_chat(app, body)


def test_up_brings_earlier_questions_back(chats: Chats) -> None:
    app = chats.open(ScriptedModel(["One.", "Two."]))

    async def body(pilot: Any) -> None:
        await ask(pilot, "First?")
        await ask(pilot, "Second?")
        await pilot.press("up", "up")
        await until(pilot, lambda: app.chat.composer.draft.text == "First?")
        await pilot.press("down")
        await until(pilot, lambda: app.chat.composer.draft.text == "Second?")

    in_chat(app, body)


def test_control_j_breaks_the_line(chats: Chats) -> None:
    app = chats.open()

    async def body(pilot: Any) -> None:
        await pilot.press("a", "ctrl+j", "b")
        assert app.chat.composer.draft.text == "a\nb"

    in_chat(app, body)
