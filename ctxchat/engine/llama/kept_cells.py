"""The chat's cells between memory and disk, on the worker's thread."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.model import Restoration
from ctxchat.engine.llama.cells import CHAT, SIDE, Cells
from ctxchat.engine.llama.context import LlamaContext
from ctxchat.engine.llama.log import LOG
from ctxchat.engine.prefix import common_prefix
from ctxchat.engine.snapshots.container import Ids, RefusedError, Run
from ctxchat.engine.snapshots.fingerprint import Fingerprint
from ctxchat.engine.snapshots.folder import SnapshotFolder
from ctxchat.engine.snapshots.names import Kind
from ctxchat.engine.snapshots.search import Found


@dataclass(frozen=True, slots=True)
class KeptCells:
    """Snapshots of one model, run in one way: `fingerprint` gives it by the cells allocated.

    `whole` says that all cells are kept as one: a recurrent state has no parts, and of a sliding window
    llama.cpp gives out only what the end of a sequence still sees.
    """

    folder: SnapshotFolder
    fingerprint: Callable[[int], Fingerprint]
    whole: bool

    def found(self, ids: Ids, capacity: int) -> int:
        """How many tokens of a prompt the files say they hold."""
        return self.folder.longest(self.fingerprint(capacity), ids).end

    def apart(self, holder: str, capacity: int) -> str | None:
        """What sets the fingerprint apart under which alone a conversation is kept."""
        return self.folder.apart(self.fingerprint(capacity), holder)

    def restore(
        self, context: LlamaContext, cells: Cells, ids: Ids, make_room: Callable[[], bool]
    ) -> Restoration:
        """Put into the chat's cells what files hold of `ids` beyond them. `make_room` empties another
        sequence, and says whether there was one."""
        fingerprint = self.fingerprint(context.capacity)
        begin = end = 0
        refused: dict[Path, str] = {}
        while True:
            held = common_prefix(cells.ids(CHAT), ids)
            prefix = self.folder.longest(fingerprint, ids)
            for path, reason in prefix.refused:
                self.folder.remove(path)
                refused[path] = reason
            stays = any(found.path in refused for found in prefix.files)
            if prefix.end <= held or stays:
                return Restoration(begin, end, tuple(refused.values()))
            try:
                for found in prefix.files:
                    if found.end > held:
                        state = self.folder.read(fingerprint, found)
                        begin = begin if end else found.run.begin
                        _put(context, cells, found, state, make_room)
                        end = found.end
            except RefusedError as error:
                if found.path.exists():  # Another process may have removed it meanwhile.
                    refused[found.path] = str(error)
                self.folder.remove(found.path)

    def save(self, context: LlamaContext, cells: Cells, holder: str, ids: Ids, cancel: Cancel) -> None:
        """Write what of `ids` the chat's cells hold."""
        held = cells.ids(CHAT)
        common = common_prefix(held, ids)
        if not common or (self.whole and common < len(held)):
            return

        def extract(run: Run) -> memoryview:
            if self.whole:
                return context.take_out(CHAT)
            context.share(CHAT, SIDE, run.end, run.begin)
            try:
                return context.take_out(SIDE)
            finally:
                context.keep(SIDE, 0)

        fingerprint = self.fingerprint(context.capacity)
        self.folder.keep(fingerprint, holder, held[:common], extract, cancel, whole=self.whole)


def _put(
    context: LlamaContext, cells: Cells, found: Found, state: memoryview, make_room: Callable[[], bool]
) -> None:
    """Put a file's cells behind those of the chat that stand before them. Raises RefusedError.

    A sequence is filled whole or not at all, so they go into an empty one and are shared from there.
    """
    run = found.run
    context.keep(CHAT, run.begin)
    cells.keep(CHAT, run.begin)
    target = CHAT if found.kind is Kind.WHOLE else SIDE
    while not context.put_in(target, state):
        if not make_room():
            raise RefusedError(f"llama.cpp does not take it ({LOG.last_error() or 'no reason is given'})")
    if context.count(target) != run.end:
        context.keep(target, 0)
        raise RefusedError("its cells stand in other places than it says")
    if target == SIDE:
        context.share(SIDE, CHAT, found.end, run.begin)
        context.keep(SIDE, 0)
    cells.add(CHAT, run.ids[: found.cells])
    if found.kind is Kind.WHOLE:
        cells.fix(CHAT)
