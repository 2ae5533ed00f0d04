"""What is written, attached and completed before it is sent."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from textual.events import Paste

from ctxchat.tui.app import ChatApp
from ctxchat.tui.chat.completion import NOTHING
from ctxchat.tui.completing import completions
from ctxchat.tui.mentions import escaped, mentioned
from tests.support.chats import SIZE, Chats, ask, seen, send, until
from tests.support.scripted import ScriptedModel

complete = completions({})


def in_chat(
    app: ChatApp, body: Callable[[Any], Coroutine[Any, Any, None]], size: tuple[int, int] = SIZE
) -> None:
    async def run() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            await body(pilot)

    asyncio.run(run())


def test_paths_are_completed_with_spaces_and_hidden_ones_where_a_dot_is_typed(tmp_path: Path) -> None:
    for name in ("my file.txt", ".hidden"):
        (tmp_path / name).write_text("x")
    (tmp_path / "my folder").mkdir()

    def texts(line: str) -> list[str]:
        return [choice.text for choice in complete(line, True).choices]

    assert texts(f"/attach {tmp_path}/") == [f"{tmp_path}/my file.txt", f"{tmp_path}/my folder/"]
    assert texts(f"/attach {tmp_path}/my fi") == [f"{tmp_path}/my file.txt"]
    assert texts(f"what is @{tmp_path}/my\\ fi") == [f"@{tmp_path}/my\\ file.txt"]
    assert texts(f"@{tmp_path}/.") == [f"@{tmp_path}/.hidden"]
    assert texts("@~") == ["@~/"]
    assert texts("@~nobody-of-this-name/") == []
    assert complete("/att", False) is NOTHING


def test_files_named_in_a_question_are_read_as_they_are_written() -> None:
    assert list(mentioned(f"a @{escaped('my file.txt')}, b@c.d and @x @x.")) == ["my file.txt", "x"]


def test_a_file_that_is_missing_is_told_in_a_line_and_the_question_stays(chats: Chats) -> None:
    app = chats.open(ScriptedModel(["Yes."]))

    async def body(pilot: Any) -> None:
        await send(pilot, "What is in @./nosuch.txt ?")
        await until(pilot, lambda: any("no such file" in told.message for told in app._notifications))
        assert app.chat.composer.draft.text == "What is in @./nosuch.txt ?"
        assert not app.chat.transcript.turns

    in_chat(app, body)


def test_a_huge_paste_is_a_chip_whose_tokens_are_counted_and_the_cost_says_that_it_does_not_fit(
    chats: Chats,
) -> None:
    app = chats.open(ScriptedModel())

    async def body(pilot: Any) -> None:
        app.chat.composer.area.post_message(Paste("line\r\n\0\x1b[31m" * 50_000))
        await until(pilot, lambda: "450,000 tokens" in seen(app))
        assert app.chat.composer.draft.attachments[0].text == "line\n[31m" * 50_000
        assert "too large" in str(app.chat.composer.area.border_subtitle)

    in_chat(app, body)


def test_a_small_paste_stands_in_the_question_as_if_it_were_typed(chats: Chats) -> None:
    app = chats.open()

    async def body(pilot: Any) -> None:
        app.chat.composer.area.post_message(Paste("one\r\ntwo\rthree\x07"))
        await until(pilot, lambda: app.chat.composer.draft.text == "one\ntwo\nthree")

    in_chat(app, body)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 50)])
def test_the_cost_of_the_draft_stands_under_it_at_every_size(chats: Chats, size: tuple[int, int]) -> None:
    app = chats.open(ScriptedModel(["Yes."]))

    async def body(pilot: Any) -> None:
        await ask(pilot, "Is it?")
        app.chat.composer.set_text("And so?")
        await until(pilot, lambda: "draft 7" in seen(app) and "fits" in seen(app))
        await pilot.press("ctrl+u")
        await until(pilot, lambda: not str(app.chat.composer.area.border_subtitle or ""))

    in_chat(app, body, size)


def test_a_terminal_of_twenty_by_five_shows_what_is_written_and_the_cells(chats: Chats) -> None:
    app = chats.open(ScriptedModel(["Yes."]))

    async def body(pilot: Any) -> None:
        await ask(pilot, "Is it?")
        await pilot.press(*"so")
        await until(pilot, lambda: "so" in seen(app).splitlines()[-1])
        assert "KV " in seen(app)
        for width in (200, 30, 100, 20):
            await pilot.resize_terminal(width, 5 + width // 5)
        await until(pilot, lambda: "KV " in seen(app))

    in_chat(app, body, (20, 5))


def test_up_goes_through_the_lines_first_and_down_brings_back_what_was_being_written(chats: Chats) -> None:
    app = chats.open(ScriptedModel(["One."]))

    async def body(pilot: Any) -> None:
        await ask(pilot, "First?")
        long = "word " * 60
        app.chat.composer.set_text(long)
        await pilot.pause()
        await pilot.press("up")
        assert app.chat.composer.area.text == long
        while app.chat.composer.area.text == long:
            await pilot.press("up")
            await pilot.pause()
        await until(pilot, lambda: app.chat.composer.area.text == "First?")
        await pilot.press("down")
        await until(pilot, lambda: app.chat.composer.area.text == long)

    in_chat(app, body)


def test_shift_enter_breaks_the_line_and_f2_hides_the_meters(chats: Chats) -> None:
    app = chats.open()

    async def body(pilot: Any) -> None:
        await pilot.press("a", "shift+enter", "b")
        assert app.chat.composer.draft.text == "a\nb"
        await pilot.press("f2")
        await until(pilot, lambda: "─ Context" not in seen(app))
        await pilot.press("f2")
        await until(pilot, lambda: "─ Context" in seen(app))

    in_chat(app, body)


def test_the_palette_opens_and_a_slash_shows_commands(chats: Chats) -> None:
    app = chats.open()

    async def body(pilot: Any) -> None:
        await pilot.press("/")
        await until(pilot, lambda: "/help" in seen(app))
        await pilot.press("escape", "ctrl+p")
        await until(pilot, lambda: app.screen is not app.chat)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)

    in_chat(app, body)
