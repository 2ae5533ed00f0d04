"""The chat's cells between memory and disk, on the worker's thread."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.model import Restoration
from ctxchat.engine.llama.branches import Branches
from ctxchat.engine.llama.cells import CHAT, SIDE, TURN, Cells
from ctxchat.engine.llama.context import LlamaContext
from ctxchat.engine.llama.costs import LlamaCosts
from ctxchat.engine.llama.log import LOG
from ctxchat.engine.llama.sequences import LlamaSequences
from ctxchat.engine.prefix import common_prefix
from ctxchat.engine.snapshots.container import Ids, RefusedError, Run
from ctxchat.engine.snapshots.fingerprint import Fingerprint
from ctxchat.engine.snapshots.folder import SnapshotFolder
from ctxchat.engine.snapshots.names import Kind
from ctxchat.engine.snapshots.search import Found, Prefix


@dataclass(frozen=True, slots=True)
class KeptCells:
    """Snapshots of one model, run in one way: `fingerprint` gives it by the cells allocated.

    `whole` says that all cells are kept as one: a recurrent state has no parts, and of a sliding window
    llama.cpp gives out only what the end of a sequence still sees. What restoring takes is told to `costs`.
    """

    folder: SnapshotFolder
    fingerprint: Callable[[int], Fingerprint]
    whole: bool
    costs: LlamaCosts

    def found(self, ids: Ids, capacity: int) -> int:
        """How many of a row of tokens the files say they hold."""
        return self.folder.longest(self.fingerprint(capacity), (*ids, 0)).end

    def worth_restoring(self, ids: Ids, held: int, capacity: int) -> int:
        """How many tokens of a prompt the files say they hold, 0 where `held` of them are in cells and the
        others are read sooner than they are restored."""
        prefix = self.folder.longest(self.fingerprint(capacity), ids)
        return prefix.end if self._is_worth_restoring(prefix, ids, held) else 0

    def apart(self, holder: str, capacity: int) -> str | None:
        """What sets the fingerprint apart under which alone a conversation is kept."""
        return self.folder.apart(self.fingerprint(capacity), holder)

    def restore(
        self, context: LlamaContext, sequences: LlamaSequences, branches: Branches, ids: Ids
    ) -> Restoration:
        """Put into the chat's cells what files hold of `ids` beyond what is in cells, where that is sooner
        done than reading. Other sequences than the chat give their cells where they run short."""
        fingerprint = self.fingerprint(context.capacity)
        begin = end = 0
        refused: dict[Path, str] = {}
        while True:
            began = time.monotonic()
            held = branches.plan(ids, context.capacity).reused
            prefix = self.folder.longest(fingerprint, ids)
            for path, reason in prefix.refused:
                self.folder.remove(path)
                refused[path] = reason
            stays = any(found.path in refused for found in prefix.files)
            if stays or not self._is_worth_restoring(prefix, ids, held):
                return Restoration(begin, end, tuple(refused.values()))
            branches.turn_to(ids, sequences)
            try:
                for found in _beyond(prefix, held):
                    state = self.folder.read(fingerprint, found)
                    begin = begin if end else found.run.begin
                    put(context, sequences, found, state)
                    end = found.end
            except RefusedError as error:
                if found.path.exists():  # Another process may have removed it meanwhile.
                    refused[found.path] = str(error)
                self.folder.remove(found.path)
            else:
                self.costs.saw_restored(_tokens(prefix, held), time.monotonic() - began)
                return Restoration(begin, end, tuple(refused.values()))

    def _is_worth_restoring(self, prefix: Prefix, ids: Ids, held: int) -> bool:
        end = min(prefix.end, len(ids) - 1)
        return end > held and not self.costs.is_read_sooner(held, end, _tokens(prefix, held))

    def save(self, context: LlamaContext, cells: Cells, holder: str, ids: Ids, cancel: Cancel) -> None:
        """Write what of `ids` the chat's cells hold, or held when their turn began where they cannot be cut
        back to it."""
        source, common = CHAT, common_prefix(cells.ids(CHAT), ids)
        if self.whole and not cells.can_keep(CHAT, common):
            source, common = TURN, common_prefix(cells.ids(TURN), ids)
        held = cells.ids(source)
        if not common or (self.whole and not cells.can_keep(source, common)):
            return

        def extract(run: Run) -> memoryview:
            if self.whole and common == len(held):
                return context.take_out(source)
            context.share(source, SIDE, run.end, run.begin)
            try:
                return context.take_out(SIDE)
            finally:
                context.keep(SIDE, 0)

        fingerprint = self.fingerprint(context.capacity)
        self.folder.keep(fingerprint, holder, held[:common], extract, cancel, whole=self.whole)


def _beyond(prefix: Prefix, held: int) -> list[Found]:
    return [found for found in prefix.files if found.end > held]


def _tokens(prefix: Prefix, held: int) -> int:
    """Tokens in the files that are read: a file is read whole."""
    return sum(len(found.run.ids) for found in _beyond(prefix, held))


def put(context: LlamaContext, sequences: LlamaSequences, found: Found, state: memoryview) -> None:
    """Put a file's cells behind those of the chat that stand before them. Raises RefusedError.

    A sequence is filled whole or not at all, so they go into an empty one and are shared from there.
    """
    run, cells = found.run, sequences.cells
    context.keep(CHAT, run.begin)
    cells.keep(CHAT, run.begin)
    target = CHAT if found.kind is Kind.WHOLE else SIDE
    while not context.put_in(target, state):
        if not sequences.give_up_one(CHAT):
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
