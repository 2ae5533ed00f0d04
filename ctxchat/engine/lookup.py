"""What may come next, looked up in what stands before: an answer often repeats its prompt, or itself."""

from collections.abc import Sequence

SIZES = (4, 3, 2)
"""Tokens that must have stood before, the most first."""


class Lookup:
    """The tokens so far, and the earlier place from which the next ones are foretold.

    A place is followed for as long as it foretells right. Then the last tokens are looked up anew: of
    the places where the most of them stood before, the latest counts. `agreed` says how many tokens
    before the place are the same as the last ones, 0 where there is no place.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = list(ids)
        self._behind: dict[tuple[int, ...], int] = {}
        for size in SIZES:
            runs = zip(*(self._ids[begin:] for begin in range(size)), strict=False)
            self._behind.update(zip(runs, range(size, len(self._ids)), strict=False))
        self._place = self.agreed = 0
        self._find()

    def add(self, token: int) -> None:
        """Go on behind the token that came."""
        ids, place = self._ids, self._place
        end = len(ids)
        for size in SIZES:
            if size <= end:
                self._behind[tuple(ids[-size:])] = end
        ids.append(token)
        if place and ids[place] == token:
            self._place, self.agreed = place + 1, self.agreed + 1
        else:
            self._find()

    def next(self, most: int) -> tuple[int, ...]:
        """At most so many tokens that may come next; none where the last ones never stood before."""
        place = self._place
        return tuple(self._ids[place : place + most]) if place else ()

    def _find(self) -> None:
        for size in SIZES:
            place = self._behind.get(tuple(self._ids[-size:]), 0)
            if place:
                self._place, self.agreed = place, size
                return
        self._place = self.agreed = 0
