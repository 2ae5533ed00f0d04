"""The cells of a loaded model: what they hold, and room for what comes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import EngineError, ModelError, PromptTooLargeError, UsageError
from ctxchat.domain.model import CachePlan, Restoration
from ctxchat.engine.llama.branches import Branches
from ctxchat.engine.llama.cells import BRANCH, CHAT, SIDE, Cells, CellTraits
from ctxchat.engine.llama.context import LlamaContext, Outcome
from ctxchat.engine.llama.fitting.host_room import HostRoom
from ctxchat.engine.llama.kept_cells import KeptCells
from ctxchat.engine.llama.log import LOG
from ctxchat.engine.llama.options import CELL_BLOCK, EngineOptions, ResolvedOptions
from ctxchat.engine.llama.sequences import LlamaSequences
from ctxchat.engine.llama.threads import Threads
from ctxchat.engine.llama.weights import LlamaWeights
from ctxchat.engine.llama.worker import Worker


class LlamaCache:
    """The KV cache as a port, and for the worker's thread the way to read tokens into it.

    Cells are allocated for the first prompt; where a later one needs more, what is held is
    carried over.
    """

    def __init__(
        self,
        worker: Worker,
        weights: LlamaWeights | None,
        options: EngineOptions,
        resolved: ResolvedOptions,
        traits: CellTraits,
        kept: KeptCells | None = None,
        room: HostRoom | None = None,
    ) -> None:
        """`kept` is what of the cells lies on disk, `room` what the host has room for. Without weights there
        is nothing but plans."""
        self.type_k = options.type_k
        self.type_v = options.type_v
        self.bytes_per_token = traits.bytes(options.type_k, options.type_v)
        self.trims = traits.trims
        self.speculation = options.speculation
        self._traits = traits
        self.kept = kept
        self.room = room
        self._worker = worker
        self._weights = weights
        self._options = options
        self._resolved = resolved
        self._context: LlamaContext | None = None
        self._cells = Cells(trims=traits.trims)
        self._sequences = LlamaSequences(self._cells, self._allocated)
        self._branches = Branches(self._cells, self._held_elsewhere, traits.carrying)

    @property
    def capacity(self) -> int:
        return self._context.capacity if self._context else 0

    @property
    def kv_bytes(self) -> int:
        """Bytes allocated for cells, and for recurrent states where the model has them."""
        context = self._context
        return context.capacity * self.bytes_per_token + context.state_bytes if context else 0

    @property
    def compute_bytes(self) -> int | None:
        return self._context.compute_bytes if self._context else None

    @property
    def buffers(self) -> Mapping[str, int]:
        """Bytes allocated for cells and intermediate results, by the kind of memory they lie in."""
        return self._context.buffers if self._context else {}

    def cells(self, sequence: int = CHAT) -> int:
        return self._cells.count(sequence)

    def plan(self, ids: Sequence[int], limit: int) -> CachePlan:
        capacity = self._capacity_for(len(ids) + limit)
        plan = self._branches.plan(ids, capacity)
        if self._carries_over_to(capacity):
            return plan
        return replace(plan, reused=0, evaluated=len(ids), moved=True)

    def bytes_per_token_with(self, type_k: str) -> int | None:
        try:
            return self._traits.bytes(type_k, self.type_v)
        except UsageError:
            return None

    def go_back_to(self, ids: Sequence[int]) -> None:
        self._worker.call(lambda: self._branches.go_back_to(ids, self._sequences))

    def fork(self, source: int, target: int, cells: int) -> None:
        self._worker.call(lambda: self._sequences.fork(source, target, cells))

    def trim(self, sequence: int, cells: int) -> None:
        self._worker.call(lambda: self._sequences.trim(sequence, cells))

    def drop(self, sequence: int) -> None:
        self.trim(sequence, 0)

    def restorable(self, ids: Sequence[int]) -> int:
        if self.kept is None:
            return 0
        held = self.plan(ids, 0).reused
        return self.kept.worth_restoring(tuple(ids), held, self._capacity_for(len(ids)))

    def restore(self, ids: Sequence[int], limit: int) -> Restoration:
        kept, capacity = self.kept, self._capacity_for(len(ids) + limit)
        if kept is None or len(ids) >= capacity or self._weights is None:
            return Restoration()

        def restored() -> Restoration:
            if capacity > self.capacity:
                self._allocate(capacity)
            return kept.restore(self._allocated(), self._sequences, self._branches, tuple(ids))

        return self._worker.call(restored)

    def kept_apart(self, holder: str) -> str | None:
        return self.kept.apart(holder, self.capacity) if self.kept else None

    def save(self, holder: str, ids: Sequence[int], cancel: Cancel) -> None:
        kept = self.kept
        if kept is not None and self._context is not None:
            context = self._context
            self._worker.call(lambda: kept.save(context, self._cells, holder, tuple(ids), cancel))

    # What follows is for the worker's thread.

    def prepare(self, ids: Sequence[int], limit: int) -> int:
        """Make room for a prompt and its answer, and keep of the chat's cells what it begins with.
        Returns how many tokens that are. Raises PromptTooLargeError and ModelError."""
        capacity = self._capacity_for(len(ids) + limit)
        if len(ids) >= capacity:
            raise PromptTooLargeError(
                f"the prompt has {len(ids):,} tokens and the window holds {capacity:,}, answer included: "
                "shorten it, or allow more with --ctx-size"
            )
        if capacity > self.capacity:
            self._allocate(capacity)
        self._branches.turn_to(ids, self._sequences, answers=limit > 0)
        if len(ids) + self._cells.alone(BRANCH, CHAT) > self.capacity:
            self._sequences.trim(BRANCH, 0)
        return self._cells.count(CHAT)

    def prepare_aside(self, ids: Sequence[int], limit: int) -> int:
        """Make room beside the chat's cells for a prompt and its answer, and share with them what
        the prompt begins with. Returns how many tokens that are. Raises PromptTooLargeError."""
        needed = self.cells() + self._cells.plan(ids, self.capacity).evaluated + limit
        capacity = self._capacity_for(needed)
        if needed > capacity:
            raise PromptTooLargeError(
                f"side work needs {needed:,} cells, the chat's included, and the window holds {capacity:,}: "
                "allow more with --ctx-size"
            )
        if capacity > self.capacity:
            try:
                self._allocate(capacity)
            except ModelError as error:
                raise PromptTooLargeError(f"there is no room for side work: {error}") from error
        self._sequences.fork(CHAT, SIDE, self._cells.plan(ids, capacity).reused)
        return self._cells.count(SIDE)

    def use_threads(self, threads: Threads) -> None:
        """Work with so many threads from now on."""
        self._allocated().use_threads(threads)

    def end_aside(self) -> None:
        """Leave the chat's cells alone."""
        self._sequences.trim(SIDE, 0)

    @contextmanager
    def interruptible(self, stop: Cancel) -> Iterator[None]:
        """Let `stop` interrupt what is read under it."""
        context = self._allocated()
        context.resume()
        with stop.calling(context.interrupt):
            yield

    @property
    def slice(self) -> int:
        """Tokens that can be read at once."""
        return self._allocated().slice

    @property
    def unseen(self) -> int:
        """Cells that the chat does not see, and that cost its tokens as much as its own."""
        return 0 if self._resolved.skips_unseen else self._cells.alone(BRANCH, CHAT)

    def cut(self, sequence: int, cells: int) -> None:
        """Keep the first `cells` of a sequence."""
        self._sequences.trim(sequence, cells)

    def read(self, ids: Sequence[int], *, predict: int, sequence: int = CHAT) -> Outcome:
        """Evaluate tokens behind the cells of a sequence, and predict what follows so many of the last.
        What an interruption leaves evaluated is kept. Where cells run short, other sequences than the
        chat give theirs. Raises EngineError."""
        context, held = self._allocated(), self._cells.count(sequence)
        if held + len(ids) > context.capacity:
            return Outcome.FULL
        outcome = context.evaluate(sequence, held, ids, predict=predict)
        while outcome == Outcome.FULL and self._sequences.give_up_one(sequence):
            outcome = context.evaluate(sequence, held, ids, predict=predict)
        self._cells.add(sequence, ids)
        if outcome == Outcome.DONE:
            return Outcome.DONE
        self._sequences.synchronize(sequence)
        if outcome not in tuple(Outcome):
            raise EngineError(f"the model failed: {LOG.last_error() or f'llama.cpp returned {outcome}'}")
        return Outcome(outcome)

    def look_at(self, place: int) -> None:
        """Go by the prediction of what follows that token of those that were read last."""
        self._allocated().look_at(place)

    def wait(self) -> None:
        """Wait until what was read is evaluated: a GPU works on while the next is prepared."""
        self._allocated().wait()

    def check_prediction(self) -> None:
        """Raise EngineError where the model predicts nothing that a token could be chosen by."""
        if not self._allocated().predicts():
            raise EngineError("the model predicts no token: its file is damaged, or its types do not suit it")

    def prediction(self) -> Any:
        """The prediction that is looked at: a pointer to a number for each token, good until more is read."""
        return self._allocated().prediction()

    @property
    def vocabulary(self) -> Any:
        """llama.cpp's pointer to the vocabulary."""
        return self._allocated().vocabulary

    def sample(self, chain: Any) -> int:
        """The next token by a chain of samplers."""
        return self._allocated().sample(chain)

    def close(self) -> None:
        if self._context:
            self._context.close()
            self._context = None
        self._weights = None  # A circle holds the cache, and a GPU's memory waits for no collector.
        self._cells.clear()

    def _allocated(self) -> LlamaContext:
        if self._context is None:
            raise EngineError("no cells are allocated yet")
        return self._context

    def _capacity_for(self, cells: int) -> int:
        """Cells there are, or would be allocated where so many are needed: the whole window, or for
        a single request the next power of two."""
        window = self._resolved.window
        if not self._options.one_shot:
            return max(window, self.capacity)
        needed = max(cells, CELL_BLOCK)
        return max(self.capacity, min(window, 1 << (needed - 1).bit_length()))

    def _carries_over_to(self, capacity: int, old: LlamaContext | None = None) -> bool:
        """Whether what was computed holds in a context of so many cells."""
        context = old or self._context
        return context is None or self._traits.long(context.capacity) == self._traits.long(capacity)

    def _held_elsewhere(self, ids: tuple[int, ...]) -> int:
        """How many of the chat's tokens need no cells to be there again soon. Where cells that are not seen
        are passed over, it makes no difference."""
        if self.kept is None or self._resolved.skips_unseen:
            return 0
        return self.kept.found(ids, self.capacity)

    def _allocate(self, capacity: int) -> None:
        if self._weights is None:
            raise EngineError("the model is loaded without its weights: it has no cells")
        if self.room:
            self.room.check(capacity)
        new = LlamaContext(self._weights, self._options, self._resolved, capacity)
        old, self._context = self._context, new
        if old:
            if not self._carries_over_to(new.capacity, old) or not new.restore(old.state()):
                self._cells.clear()
            old.close()
        if abs(new.kv_bytes - new.capacity * self.bytes_per_token) > new.kv_rounding:
            self.bytes_per_token = new.kv_bytes // new.capacity
