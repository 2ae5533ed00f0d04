"""What stands on the screen before the chat is there, and what becomes of keys and errors meanwhile."""

import asyncio
import os
import sys
from pathlib import Path

import pexpect
import pytest
from textual.events import Key, Paste

from ctxchat.tui.app import ChatApp
from ctxchat.tui.first_frame import PLACEHOLDER, FirstFrame
from tests.support.chats import SIZE, Chats, seen, until

ROOT = Path(__file__).parents[2]
LEFT = "\x1b[?1049l"
"""What puts the terminal back to what stood on it before."""


def spawn(home: Path, *words: str) -> "pexpect.spawn[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CTXCHAT_")}
    environment = {**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    return pexpect.spawn(
        sys.executable,
        ["-m", "ctxchat", *words],
        env=environment,  # type: ignore[arg-type]
        cwd=str(home),
        dimensions=(40, 120),
        encoding="utf-8",
        timeout=60,
    )


def test_what_is_typed_before_the_chat_is_there_stands_in_the_question(
    chats: Chats, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, begun, frames = chats.open(), ChatApp._begin, []

    async def begin(app: ChatApp) -> None:
        first = app.screen
        assert isinstance(first, FirstFrame)
        for event in (Key("s", "s"), Key("o", "o"), Paste(" far")):
            first._forward_event(event)
        while len(first.typed) < 3:
            await asyncio.sleep(0)
        frames.append(seen(app))
        await begun(app)
        app.post_message(Key("exclamation_mark", "!"))

    monkeypatch.setattr(ChatApp, "_begin", begin)

    async def run() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: app.chat.composer.area.text == "so far!")

    asyncio.run(run())
    assert PLACEHOLDER in frames[0]


@pytest.mark.parametrize("words", [(), ("chat", "--threads", "1")], ids=["alone", "with flags"])
def test_settings_that_are_wrong_are_told_where_the_terminal_is_as_it_was(
    home: Path, words: tuple[str, ...]
) -> None:
    (home / "ctxchat.toml").write_text("[sampling]\ntemprature = 1\n")
    chat = spawn(home, *words)
    chat.expect_exact(LEFT)
    chat.expect_exact("temprature")
    chat.expect(pexpect.EOF)
    chat.close()
    assert chat.exitstatus == 2


def test_nothing_but_what_the_first_frame_needs_is_imported_for_it() -> None:
    script = "import sys; import ctxchat.cli.process, ctxchat.cli.opening, ctxchat.tui.launch"
    script += "; import ctxchat.tui.app; ctxchat.cli.opening.bare(); print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    told, code = pexpect.run(
        f"{sys.executable} -c '{script}'", env=environment, withexitstatus=True, encoding="utf-8"
    )
    ours = {name for name in str(told).split() if name.startswith("ctxchat.")}
    assert code == 0
    assert "ctxchat.tui.app" in ours
    assert not {name for name in ours if name.startswith(("ctxchat.service", "ctxchat.settings"))}
    assert {name for name in ours if name.startswith("ctxchat.domain.")} == {"ctxchat.domain.errors"}
    assert "typer" not in str(told).split()
