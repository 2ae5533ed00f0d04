"""Conversations on a screen: found, renamed, forked, deleted, opened."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ctxchat.domain.kv import Snapshots
from ctxchat.engine.snapshots.folder import SnapshotFolder
from ctxchat.service.conversations import ConversationService
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from ctxchat.tui.screens.confirm import ConfirmScreen
from ctxchat.tui.screens.conversations import ConversationsClosed, ConversationsScreen
from ctxchat.tui.screens.prompt import PromptScreen
from tests.support.bare_screen import Hand, shown

pytestmark = pytest.mark.anyio


def imported(*said: str) -> bytes:
    return "\n".join(f'{{"role": "user", "text": "{text}"}}' for text in said).encode()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ConversationService]:
    database = Database(tmp_path / "store.sqlite3")
    snapshots: Snapshots = SnapshotFolder(tmp_path / "kv", 0)
    service = ConversationService(SqliteConversations(database, wait=0.1), snapshots, "Be.")
    service.adopt(imported("How do snakes keep warm?", "On stones."), "Reptiles")
    service.adopt(imported("When is the invoice due?"), "Money")
    service.adopt(imported("Nothing of note"), "Idle [bold]talk[/]")
    yield service
    database.close()


def ids(service: ConversationService) -> dict[str, str]:
    return {one.conversation.name: one.conversation.id for one in service.listing()}


def listed(hand: Hand, *names: str) -> bool:
    return hand.names == list(names)


async def test_all_are_listed_last_used_first_and_markup_is_text(service: ConversationService) -> None:
    async with shown(ConversationsScreen(service, None)) as hand:
        await hand.until(lambda: listed(hand, "Idle [bold]talk[/]", "Money", "Reptiles"))
        assert hand.said == "3 of 3"
        assert [row[2] for row in hand.table] == ["1", "1", "2"]


async def test_the_cursor_begins_on_the_one_that_is_open_and_enter_opens(
    service: ConversationService,
) -> None:
    current = ids(service)["Money"]
    async with shown(ConversationsScreen(service, current)) as hand:
        await hand.until(lambda: "● Money" in hand.names)
        await hand.press("down", "enter")
        await hand.until(lambda: bool(hand.closed))
        assert hand.closed == [ConversationsClosed(opened=ids(service)["Reptiles"])]


async def test_names_are_filtered_at_once_and_what_was_said_is_found(service: ConversationService) -> None:
    async with shown(ConversationsScreen(service, None)) as hand:
        await hand.until(lambda: len(hand.table) == 3)
        await hand.press(*"mon")
        assert listed(hand, "Money")
        await hand.press("backspace", "backspace", "backspace", *"stones")
        await hand.until(lambda: listed(hand, "Reptiles"))
        assert hand.said == "1 of 3, 1 by what was said"
        assert hand.text("#detail").endswith(": On stones.")


async def test_a_conversation_is_renamed(service: ConversationService) -> None:
    key = ids(service)["Money"]
    async with shown(ConversationsScreen(service, key)) as hand:
        await hand.until(lambda: "● Money" in hand.names)
        await hand.press("ctrl+r")
        assert isinstance(hand.app.screen, PromptScreen)
        await hand.press("end", *"bags", "enter")
        await hand.until(lambda: "● Moneybags" in hand.names)
        await hand.press("escape")
        assert hand.closed == [ConversationsClosed(renamed=frozenset({key}))]
    assert ids(service)["Moneybags"] == key


async def test_a_name_that_is_taken_is_told_in_a_line(service: ConversationService) -> None:
    async with shown(ConversationsScreen(service, ids(service)["Money"])) as hand:
        await hand.until(lambda: "● Money" in hand.names)
        await hand.press("ctrl+r", "ctrl+u", *"Reptiles", "enter")
        await hand.until(lambda: "Reptiles" in hand.said)
        assert hand.app.screen.query_one("#said").has_class("-wrong")


async def test_a_fork_is_listed_and_under_the_cursor(service: ConversationService) -> None:
    async with shown(ConversationsScreen(service, ids(service)["Reptiles"])) as hand:
        await hand.until(lambda: "● Reptiles" in hand.names)
        await hand.press("ctrl+f")
        await hand.until(lambda: len(hand.table) == 4)
        await hand.press("enter")
        await hand.until(lambda: bool(hand.closed))
        assert hand.closed[0].opened not in (None, ids(service)["Reptiles"])


async def test_deleting_asks_and_enter_keeps(service: ConversationService) -> None:
    async with shown(ConversationsScreen(service, ids(service)["Money"])) as hand:
        await hand.until(lambda: "● Money" in hand.names)
        await hand.press("ctrl+d")
        assert isinstance(hand.app.screen, ConfirmScreen)
        await hand.press("enter")
        assert len(service.listing()) == 3


async def test_a_deleted_one_is_gone_and_told(service: ConversationService) -> None:
    gone = ids(service)["Money"]
    async with shown(ConversationsScreen(service, gone)) as hand:
        await hand.until(lambda: "● Money" in hand.names)
        await hand.press("ctrl+d", "y")
        await hand.until(lambda: listed(hand, "Idle [bold]talk[/]", "Reptiles"))
        await hand.press("escape")
        assert hand.closed == [ConversationsClosed(deleted=frozenset({gone}))]


async def test_what_is_held_elsewhere_is_not_deleted_and_told(
    service: ConversationService, tmp_path: Path
) -> None:
    database = Database(tmp_path / "store.sqlite3")
    held = ids(service)["Money"]
    with SqliteConversations(database).hold(held):
        async with shown(ConversationsScreen(service, held)) as hand:
            await hand.until(lambda: "● Money" in hand.names)
            await hand.press("ctrl+d", "y")
            await hand.until(lambda: "hold" in hand.said or "process" in hand.said)
    database.close()
    assert len(service.listing()) == 3


async def test_where_nothing_was_said_the_screen_says_so(tmp_path: Path) -> None:
    database = Database(tmp_path / "empty.sqlite3")
    service = ConversationService(SqliteConversations(database), SnapshotFolder(tmp_path / "kv", 0), "Be.")
    async with shown(ConversationsScreen(service, None)) as hand:
        await hand.until(lambda: hand.said.startswith("nothing was said yet"))
        await hand.press("ctrl+d", "ctrl+r", "ctrl+f", "enter", "escape")
        assert hand.closed == [ConversationsClosed()]


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_it_is_usable_at_every_size(service: ConversationService, size: tuple[int, int]) -> None:
    async with shown(ConversationsScreen(service, None), size) as hand:
        await hand.until(lambda: listed(hand, "Idle [bold]talk[/]", "Money", "Reptiles"))
        rows = hand.app.screen.query_one("#rows")
        assert rows.size.height >= 8
        assert rows.virtual_size.width <= rows.size.width
