"""One screen in an application that has nothing else, and how a test waits for what it shows."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.app import App
from textual.coordinate import Coordinate
from textual.events import Paste
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from ctxchat.tui.screens.rows import Rows

STEPS = 2000
"""Rounds of the loop after which a state is given up that does not come."""


class Bare(App[None]):
    """Keeps what its screen was closed with."""

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__()
        self._shown = screen
        self.closed: list[Any] = []

    def on_mount(self) -> None:
        self.push_screen(self._shown, self.closed.append)


class Hand:
    """Presses keys on a screen, and reads it."""

    def __init__(self, app: Bare, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Put a text where the cursor is, as a terminal pastes it."""
        focused = self.app.screen.focused
        assert focused is not None
        focused.post_message(Paste(text))
        await self.pilot.pause()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Let the loop run until something holds."""
        for _ in range(STEPS):
            if holds():
                return
            await self.pilot.pause(0.005)
        raise AssertionError(f"it never came; the screen says {self.said!r} and shows {self.table}")

    @property
    def closed(self) -> list[Any]:
        return self.app.closed

    @property
    def said(self) -> str:
        return self.text("#said")

    def text(self, selector: str) -> str:
        return str(self.app.screen.query_one(selector, Static).render())

    @property
    def table(self) -> list[tuple[str, ...]]:
        """What stands in the cells that are shown, row by row."""
        found = self.app.screen.query(Rows)
        if not found:
            return []
        rows = found.first()
        return [
            tuple(rows.get_cell_at(Coordinate(at, column)).plain for column in range(len(rows.columns)))
            for at in range(rows.row_count)
        ]

    @property
    def names(self) -> list[str]:
        """The first cell of each row."""
        return [row[0] for row in self.table]


@asynccontextmanager
async def shown(screen: Screen[Any], size: tuple[int, int] = (80, 24)) -> AsyncIterator[Hand]:
    """The screen, open."""
    app = Bare(screen)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield Hand(app, pilot)
