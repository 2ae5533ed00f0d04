"""An answer whose next tokens are drafted by looking them up, and checked many at a time.

Checking several tokens in one evaluation costs less than as many evaluations, by how much depends on
the model and the machine. What is drafted changes no choice: every token is chosen by the model's own
prediction, and a draft only has the next predictions there already, as far as it is right.
"""

import time
from typing import Protocol

from ctxchat.domain.model import Generation
from ctxchat.domain.speculation import MARGIN, BatchCosts, Speculated
from ctxchat.engine.llama.cache import LlamaCache
from ctxchat.engine.llama.context import LARGEST_BATCH, Outcome
from ctxchat.engine.llama.costs import LlamaCosts
from ctxchat.engine.llama.odds import Odds
from ctxchat.engine.lookup import Lookup
from ctxchat.engine.tokens.segments import SegmentVocabulary

UNMEASURED_DRAFT = 3
"""Tokens that are drafted where it is asked for and not known what they cost."""


class Reading(Protocol):
    """Puts the chosen tokens of an answer into cells, one after another."""

    def read(self, token: int, left: int, /) -> Outcome:
        """Put a token into a cell and have the next predicted, where `left` more may be chosen."""

    def end(self) -> None:
        """Leave in the cells what was chosen alone."""

    @property
    def speculated(self) -> Speculated | None:
        """What drafts did, None where there were to be none."""

    def alone(self, tokens: int, seconds: float, /) -> tuple[int, float]:
        """Of the tokens that were read, in so many seconds in all, those that were evaluated one by one."""


def reading(
    cache: LlamaCache,
    vocabulary: SegmentVocabulary,
    costs: LlamaCosts,
    generation: Generation,
    sequence: int,
) -> Reading:
    """How an answer is read: with drafts where they are asked for, or can pay by what was measured, and
    cells can be given back. Its prompt has been read."""
    wanted, batches = cache.speculation, costs.batches()
    pays = wanted == "on" or (wanted == "auto" and batches is not None and batches.pays)
    if not pays or not cache.trims:
        return OneByOne(cache, sequence)
    return Speculation(cache, vocabulary, generation, sequence, batches, forced=wanted == "on")


class OneByOne:
    """Without drafts."""

    speculated = None

    def __init__(self, cache: LlamaCache, sequence: int) -> None:
        self._cache = cache
        self._sequence = sequence

    def read(self, token: int, _left: int, /) -> Outcome:
        return self._cache.read((token,), predict=1, sequence=self._sequence)

    def end(self) -> None:
        pass

    def alone(self, tokens: int, seconds: float, /) -> tuple[int, float]:
        return tokens, seconds


class Speculation:
    """With drafts, as long as pays most by `costs`, and none where that is less than evaluating one by
    one, unless they are `forced`."""

    def __init__(
        self,
        cache: LlamaCache,
        vocabulary: SegmentVocabulary,
        generation: Generation,
        sequence: int,
        costs: BatchCosts | None,
        *,
        forced: bool,
    ) -> None:
        self._cache = cache
        self._vocabulary = vocabulary
        self._sequence = sequence
        self._costs = costs
        self._least = 0.0 if forced else MARGIN
        self._most = min(LARGEST_BATCH, cache.slice, costs.largest if costs else LARGEST_BATCH) - 1
        self._lookup = Lookup(generation.ids)
        self._odds = Odds()
        self._sure = cache.cells(sequence)
        self._draft: tuple[int, ...] = ()
        self._right = 0
        self._began: float | None = None
        self._drafted = self._accepted = self._chosen = 0
        self._spent = 0.0
        self._alone, self._seconds = 0, 0.0

    def read(self, token: int, left: int, /) -> Outcome:
        if self._lookup.agreed:
            self._odds.saw(self._lookup.agreed, right=self._lookup.next(1) == (token,))
        self._lookup.add(token)
        if self._right < len(self._draft) and self._draft[self._right] == token:
            self._right += 1
            self._cache.look_at(self._right)
            outcome = Outcome.DONE
        else:
            outcome = self._evaluate(token, left)
        self._sure += outcome is Outcome.DONE
        return outcome

    def end(self) -> None:
        self._note_time()
        self._drop_rest()

    @property
    def speculated(self) -> Speculated | None:
        known = self._costs is not None and self._spent
        return Speculated(self._drafted, self._accepted, self._chosen / self._spent if known else None)

    def alone(self, _tokens: int, _seconds: float, /) -> tuple[int, float]:
        return self._alone, self._seconds

    def _evaluate(self, token: int, left: int) -> Outcome:
        """Evaluate a token, and what may follow it."""
        self.end()
        draft = self._next_draft(min(left, self._room() - 1))
        self._began = time.monotonic()
        outcome = self._cache.read((token, *draft), predict=1 + len(draft), sequence=self._sequence)
        if draft and outcome is Outcome.FULL:
            draft = ()
            outcome = self._cache.read((token,), predict=1, sequence=self._sequence)
        if outcome is Outcome.DONE:
            self._draft = draft
            self._drafted += len(draft)
            self._cache.look_at(0)
        return outcome

    def _next_draft(self, room: int) -> tuple[int, ...]:
        """The tokens that are worth checking together with the last one."""
        most = min(self._most, room)
        if most < 1 or not self._lookup.agreed:
            return ()
        found = self._lookup.next(self._worth(most))
        ends = (place for place, token in enumerate(found) if self._vocabulary.ends_turn(token))
        return found[: next(ends, len(found))]

    def _room(self) -> int:
        return self._cache.capacity - self._cache.cells(self._sequence)

    def _worth(self, most: int) -> int:
        """How many drafted tokens gain the most, 0 where none gain enough."""
        if self._costs is None:
            return min(most, UNMEASURED_DRAFT)
        agreed = self._lookup.agreed
        chances = [self._odds.chance(agreed + more) for more in range(most)]
        gains = self._costs.gains(chances)
        longest = max(range(most), key=gains.__getitem__)
        return longest + 1 if gains[longest] >= self._least else 0

    def _drop_rest(self) -> None:
        """Take out of the cells what was drafted and not chosen, or is there by half."""
        self._accepted += self._right
        self._cache.cut(self._sequence, self._sure)
        self._draft, self._right = (), 0

    def _note_time(self) -> None:
        """What was evaluated last is done."""
        if self._began is None:
            return
        if self._draft:
            self._chosen += 1 + self._right
            self._spent += self._costs.of(1 + len(self._draft)) if self._costs else 0.0
        else:
            self._alone, self._seconds = self._alone + 1, self._seconds + time.monotonic() - self._began
            self._chosen, self._spent = self._chosen + 1, self._spent + 1.0
        self._began = None
