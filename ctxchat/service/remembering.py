"""What a chat recalls from, over all its turns."""

from collections.abc import Iterator
from contextlib import suppress

from ctxchat.domain.errors import CtxChatError, NotesUnreachableError
from ctxchat.domain.events import Warned
from ctxchat.domain.ports import Recall
from ctxchat.service.collections import require, unknown
from ctxchat.service.recollection import Recollection
from ctxchat.service.request import AskRequest, Reply


class Remembering:
    """Gives each turn what it recalls by. `collections` are looked at where a request names none, None
    means all there are. Without `recall` nothing is recalled."""

    def __init__(self, recall: Recall | None, collections: tuple[str, ...] | None) -> None:
        self._recall = recall
        self._collections = collections
        self._last: Recollection | None = None

    def begin(self, request: AskRequest) -> None:
        """Make ready for a turn. Raises UsageError for a collection that there is not, and StoreError."""
        self._last = None
        if self._recall is None or not request.memory or request.reply is not Reply.NEW:
            return
        if request.collections:
            with suppress(NotesUnreachableError):
                require(request.collections, self._recall.collections(writes=not request.dry_run))
        collections = request.collections or self._collections
        self._last = Recollection(self._recall, collections, writes=not request.dry_run)

    def warm(self) -> Iterator[Warned]:
        """Import and open what looking needs, ahead of the first turn."""
        try:
            if self._recall is not None:
                self._recall.warm()
        except CtxChatError as error:
            yield Warned(str(error))

    @property
    def recollection(self) -> Recollection | None:
        """Of the turn that began last; None where it recalls nothing."""
        return self._last

    def warnings(self) -> Iterator[Warned]:
        """What was set, and is not there: said at every turn, and no reason not to answer."""
        if self._recall is None or self._last is None or self._last.collections != self._collections:
            return
        if line := self._unknown(self._recall, self._last):
            yield Warned(f"notes.collections of the settings: {line}")

    def _unknown(self, recall: Recall, last: Recollection) -> str | None:
        """A line about a collection of the settings that there is not; where nobody knows, the turn tells."""
        with suppress(NotesUnreachableError):
            return unknown(
                last.collections or (), recall.collections(writes=last.writes) if last.collections else ()
            )
        return None

    def mend(self) -> Iterator[Warned]:
        """Build the indexes again that the last turn found damaged: it was answered without them."""
        if self._recall is None or self._last is None or not self._last.opened:
            return
        try:
            if stale := self._recall.stale():
                names = ", ".join(f'"{name}"' for name in stale)
                yield Warned(
                    f"the index of the notes in {names} is missing, damaged or unfinished: "
                    "it is being built again, and no note is lost"
                )
                self._recall.repair()
        except CtxChatError as error:
            yield Warned(str(error))
