"""The terminal UI over a scripted model and a temporary store, and how a test waits for it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from textual.pilot import Pilot

from ctxchat.context.attachments import Attachment
from ctxchat.domain.errors import UsageError
from ctxchat.domain.ports import Clock
from ctxchat.service.clock import SystemClock
from ctxchat.service.conversations import ConversationService
from ctxchat.service.drafts import Drafts
from ctxchat.service.journal import Journal
from ctxchat.service.open_services import LateServices, Services
from ctxchat.service.pins import PinService
from ctxchat.service.rows import RowService
from ctxchat.service.summaries import SummaryService
from ctxchat.service.turns import TurnService
from ctxchat.settings.schema import Settings
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from ctxchat.tui.app import ChatApp
from ctxchat.tui.start import Read, Start
from tests.support.desk import WORDING, Desk
from tests.support.scripted import ScriptedModel
from tests.support.stillness import StillClock

SIZE = (120, 40)


def read(path: str, question: str, table: bool) -> Read:
    """Reads a file as the command line does, plainly."""
    try:
        return Read((Attachment(path, Path(path).read_text()),))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


class Chats:
    """Makes chats over one store: what one left, the next one finds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    desk: Desk

    def open(self, model: ScriptedModel | None = None, **start: object) -> ChatApp:
        """A chat that has not begun, over a model whose answers are written down."""
        self.desk = Desk(self.folder, model or ScriptedModel(), stays=True)
        services = services_of(self.desk, self.folder, SystemClock())
        return ChatApp(lambda _: services, Start(read, Settings, **start))  # type: ignore[arg-type]

    def open_still(self, model: ScriptedModel, clock: StillClock, **start: object) -> ChatApp:
        """The same where no time goes by but what the model takes, and nothing blinks."""
        desk = Desk(self.folder, model, clock=clock)
        services = services_of(desk, self.folder, clock)
        begun = Start(read, Settings, **start)  # type: ignore[arg-type]
        app = ChatApp(lambda _: services, begun, lambda: clock.on_screen)
        app.chat.composer.area.cursor_blink = False
        return app


def services_of(desk: Desk, folder: Path, clock: Clock) -> Services:
    """What a front end works with, over a desk."""
    record = SqliteConversations(Database(desk.database.path), wait=0.5)
    return Services(
        settings=Settings(),
        settings_file=folder / "config.toml",
        chat=desk.service,
        conversations=ConversationService(record, desk.model.disk, "Be."),
        turns=TurnService(record),
        rows=RowService(record),
        drafts=Drafts(desk.service, Journal(record, clock, WORDING, "Be.")),
        pins=PinService(record),
        summaries=SummaryService(record),
        late=LateServices(_missing, _missing, _missing),
    )


def _missing() -> NoReturn:
    raise AssertionError("this test has no notes and no model library")


async def until(pilot: Pilot[int], holds: Callable[[], object]) -> None:
    """Wait for a state; the time limit of the test is the only one."""
    while not holds():
        assert pilot.app.is_running, "the chat is over"
        await asyncio.sleep(0.01)
    await pilot.pause()


async def ask(pilot: Pilot[int], question: str) -> None:
    """Write a question, send it, and wait until it is answered."""
    app = pilot.app
    assert isinstance(app, ChatApp)
    before = len(app.chat.transcript.turns)
    await send(pilot, question)
    await until(pilot, lambda: len(app.chat.transcript.turns) > before and not app.chat.busy)


async def send(pilot: Pilot[int], line: str) -> None:
    """Write a line into the composer and press Enter."""
    app = pilot.app
    assert isinstance(app, ChatApp)
    app.chat.composer.set_text(line)
    await pilot.pause()
    app.chat.composer.close_completion()
    await pilot.press("enter")
    await pilot.pause()


def seen(app: ChatApp) -> str:
    """All text on the screen."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())
