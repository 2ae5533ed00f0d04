"""What may come next, looked up in what stands before: an answer often repeats its prompt, or itself."""

from collections.abc import Sequence
from itertools import pairwise

SHORTEST, LONGEST = 2, 8
"""Tokens that must have stood before, and more of which tell nothing new."""

LOOKED_AT = 16
"""Earlier places that are compared, the latest first."""


class Lookup:
    """The tokens so far, and the earlier place from which the next ones are foretold.

    A place is followed for as long as it foretells right. Then the last two tokens are looked up anew:
    of the places behind them the one counts before which the most tokens agree with the last ones.
    `agreed` says how many they are, 0 where there is no place.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = list(ids)
        self._latest: dict[tuple[int, int], int] = {}
        self._earlier = [0] * SHORTEST
        for place, pair in enumerate(pairwise(self._ids[:-1]), SHORTEST):
            self._note(pair, place)
        self._place = self.agreed = 0
        self._find()

    def add(self, token: int) -> None:
        """Go on behind the token that came."""
        ids, place = self._ids, self._place
        if len(ids) >= SHORTEST:
            self._note((ids[-2], ids[-1]), len(ids))
        ids.append(token)
        if place and ids[place] == token:
            self._place, self.agreed = place + 1, self.agreed + 1
        else:
            self._find()

    def next(self, most: int) -> tuple[int, ...]:
        """At most so many tokens that may come next; none where the last ones never stood before."""
        place = self._place
        return tuple(self._ids[place : place + most]) if place else ()

    def _note(self, pair: tuple[int, int], place: int) -> None:
        """A token stands behind a pair: places behind the same pair are a chain."""
        self._earlier.append(self._latest.get(pair, 0))
        self._latest[pair] = place

    def _find(self) -> None:
        self._place = self.agreed = 0
        place = self._latest.get((self._ids[-2], self._ids[-1]), 0) if len(self._ids) >= SHORTEST else 0
        for _ in range(LOOKED_AT):
            if not place or self.agreed == LONGEST:
                return
            agreed = self._agreed_before(place)
            if agreed > self.agreed:
                self._place, self.agreed = place, agreed
            place = self._earlier[place]

    def _agreed_before(self, place: int) -> int:
        ids, last, agreed = self._ids, len(self._ids) - 1, SHORTEST
        while agreed < min(LONGEST, place) and ids[place - 1 - agreed] == ids[last - agreed]:
            agreed += 1
        return agreed
