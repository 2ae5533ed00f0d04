"""A conversation whose ledger is shown, and how a test finds its way in it."""

from pathlib import Path

from ctxchat.context.attachments import Attachment
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Conversation
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.sampling import Sampling
from ctxchat.service.request import AskRequest
from ctxchat.service.rows import RowService
from ctxchat.tui.screens.ledger import LedgerScreen
from tests.support.bare_screen import Hand
from tests.support.desk import Desk
from tests.support.scripted import ScriptedModel

LOG = "no space left\n" * 50
QUESTIONS = ("Where do snakes live?", "And the log?", "Thanks [bold]\x1b[31m!")


class Asked:
    """A conversation of three turns, the second with data, and the receipt of the last."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder, ScriptedModel(["On stones.", "The disk is full.", "Bye."], window=2048))
        for question in QUESTIONS:
            data = (Attachment("disk.log", LOG),) if "log" in question else ()
            request = AskRequest(question, resume=True, sampling=Sampling(max_tokens=64), attachments=data)
            self.receipt = self.desk.ask(request)

    @property
    def conversation(self) -> Conversation:
        found = self.desk.record.latest()
        assert found
        return found

    def standing(self, conversation: Conversation) -> Prompt:
        return self.desk.service.standing(conversation, 64, Cancel())

    def screen(self, **changes: object) -> LedgerScreen:
        parts = {"conversation": self.conversation.id, "standing": self.standing, "receipt": self.receipt}
        return LedgerScreen(RowService(self.desk.record), **(parts | changes))  # type: ignore[arg-type]


def texts(hand: Hand) -> list[str]:
    return [row[4] for row in hand.table]


async def listed(hand: Hand) -> None:
    await hand.until(lambda: hand.said.endswith("rows"))


async def at(hand: Hand, typed: str) -> None:
    """The cursor on the only row that is left by what is typed."""
    await listed(hand)
    await hand.type(typed)
    await hand.until(lambda: len(hand.table) == 1)


async def said(hand: Hand, line: str) -> None:
    await hand.until(lambda: hand.said.startswith(line))


def offered(hand: Hand) -> set[str]:
    """What the keys that are offered do."""
    bindings = hand.app.screen.active_bindings.values()
    return {one.binding.description for one in bindings if one.binding.show}
