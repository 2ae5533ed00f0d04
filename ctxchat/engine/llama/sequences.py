"""What is done with the cells of sequences, in llama.cpp and in the mirror at once."""

from collections.abc import Callable
from dataclasses import dataclass

from ctxchat.domain.errors import EngineError
from ctxchat.engine.llama.cells import SEQUENCES, SIDE, Cells
from ctxchat.engine.llama.context import LlamaContext


@dataclass(frozen=True, slots=True)
class LlamaSequences:
    """The sequences of the context that is `allocated`. Only the worker's thread may call it.

    No cell is ever moved: llama.cpp would move it for every sequence that holds it.
    """

    cells: Cells
    allocated: Callable[[], LlamaContext]

    def trim(self, sequence: int, cells: int) -> None:
        """Keep the first `cells` of a sequence. One that cannot be cut is emptied."""
        if cells >= self.cells.count(sequence):
            return
        if not self.cells.can_keep(sequence, cells) or not self.allocated().keep(sequence, cells):
            self.allocated().keep(sequence, 0)
            cells = 0
        self.cells.keep(sequence, cells)

    def fork(self, source: int, target: int, cells: int) -> None:
        """Make `target` hold the first `cells` of `source`, shared and not copied. Raises EngineError."""
        held = self.cells.count(source)
        if cells > held or not self.cells.can_keep(source, cells):
            raise EngineError(f"sequence {source} holds {held:,} cells: {cells:,} of them cannot be shared")
        self.trim(target, 0)
        if cells:
            self.allocated().share(source, target, cells)
            self.cells.fork(source, target, cells)

    def give_up_one(self, reading: int) -> bool:
        """Empty the first sequence that is neither the chat nor read into; False where none holds cells."""
        others = (s for s in range(SIDE, SEQUENCES) if s != reading and self.cells.count(s))
        given_up = next(others, None)
        if given_up is not None:
            self.trim(given_up, 0)
        return given_up is not None

    def synchronize(self, sequence: int) -> None:
        """After an interruption llama.cpp knows how far it came. What it left of a recurrent state is of
        no known place."""
        if not self.cells.trims:
            self.allocated().keep(sequence, 0)
        self.cells.keep(sequence, self.allocated().count(sequence))
