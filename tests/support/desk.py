"""A chat service over a scripted model and a real store."""

from collections.abc import Callable, Iterator
from pathlib import Path

from ctxchat.context.assemble import Wording
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Message
from ctxchat.domain.events import TurnEvent, TurnFinished
from ctxchat.domain.ports import Clock, Recall
from ctxchat.domain.receipt import Receipt
from ctxchat.domain.summary import SummaryBlock
from ctxchat.service.chat import ChatService
from ctxchat.service.clock import SystemClock
from ctxchat.service.compaction import Requests
from ctxchat.service.model_in_use import OpenedModel
from ctxchat.service.policy import DEFAULT_POLICY, WindowPolicy
from ctxchat.service.remembering import Remembering
from ctxchat.service.request import AskRequest
from ctxchat.service.texts import Texts
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from tests.support.scripted import ScriptedModel

WORDING = Wording(("Keep:\n", ""), ("So far:\n", ""), "Yes.", "Begin.", ("Notes, quoted.\n", ""))


REQUESTS = Requests(
    lambda words, focus: f"Sum up in {words}.{focus}", lambda texts, words: f"Merge in {words}: {texts}"
)


class Desk:
    """A service over a scripted model and a real store."""

    def __init__(
        self,
        folder: Path,
        model: ScriptedModel,
        *,
        notice: str | None = None,
        policy: WindowPolicy = DEFAULT_POLICY,
        recall: Callable[[Database], Recall] | None = None,
        stays: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.model = model
        self.database = Database(folder / "store.sqlite3")
        self.record = SqliteConversations(self.database, wait=0.1)
        self.service = ChatService(
            lambda: OpenedModel(model, notice),
            self.record,
            clock or SystemClock(),
            Texts(WORDING, REQUESTS, "Be."),
            policy=lambda _: policy,
            remembering=recall and Remembering(recall(self.database), None),
            stays=stays,
        )

    def ask(self, request: AskRequest | str, cancel: Cancel | None = None) -> Receipt:
        *_, last = self.events(request, cancel)
        assert isinstance(last, TurnFinished)
        return last.receipt

    def events(self, request: AskRequest | str, cancel: Cancel | None = None) -> Iterator[TurnEvent]:
        asked = AskRequest(request) if isinstance(request, str) else request
        return self.service.ask(asked, cancel or Cancel())

    def path(self) -> tuple[Message, ...]:
        latest = self.record.latest()
        assert latest
        return self.record.path(latest.id)

    def blocks(self) -> tuple[SummaryBlock, ...]:
        latest = self.record.latest()
        return self.record.blocks(latest.id) if latest else ()
