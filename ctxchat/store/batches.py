"""Many values in few statements."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


_SIZE = 500


def batches(values: Iterable[T], size: int = _SIZE) -> Iterator[list[T]]:
    """Values in lists that one statement can bind."""
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch


def marks(values: Sequence[object], mark: str = "?") -> str:
    """What stands in a statement for values that it binds."""
    return ", ".join([mark] * len(values))
