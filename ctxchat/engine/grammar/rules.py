"""A grammar as a value: rules of alternatives of symbols."""

from dataclasses import dataclass

ROOT = "root"


@dataclass(frozen=True, slots=True)
class Characters:
    """One character in some ranges of code points (both ends count), or out of all of them."""

    ranges: tuple[tuple[int, int], ...]
    negated: bool = False

    def hold(self, code: int) -> bool:
        """Whether a code point is one of them."""
        return self.negated != any(low <= code <= high for low, high in self.ranges)

    def one(self) -> str | None:
        """Any one of them that can be written, None where there is none."""
        preferred = (ord(c) for c in " x-.0")
        starts = (low for low, high in self.ranges if low <= high) if not self.negated else preferred
        after = (high + 1 for _, high in self.ranges) if self.negated else ()
        found = (code for code in (*starts, *after) if self.hold(code) and _can_be_written(code))
        return next((chr(code) for code in found), None)


Symbol = str | Characters
"""A string is the name of a rule."""

Sequence = tuple[Symbol, ...]
Rules = dict[str, tuple[Sequence, ...]]


def _can_be_written(code: int) -> bool:
    return 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
