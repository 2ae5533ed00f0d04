"""Where the reuse of cells ended and why, in a person's words: the one place that says so."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from ctxchat.domain.conversation import Section
from ctxchat.domain.model import TemplateBehaviour
from ctxchat.domain.prompt import Piece, Prompt

LITTLE = 8
"""Tokens of the last answer that may be missing without a word: what stood behind a stop string, or was
left out with the blanks at its end."""

CUT = "the cache of this model cannot be cut back to where they differ"
MOVED = "in a longer context this model places every token anew"
COMPACTION = "the oldest turns were folded into a summary"
PINS = "the pins changed"
GIVEN_BACK = "notes and attached text of an earlier turn were given back to make room"
REASONING = "the chat template strips the reasoning of earlier turns"
NO_ROOM = "the reasoning of earlier turns was left out, to make room"
BY_HAND = "you gave back what was attached to an earlier turn"
LEFT_OUT = "you left out an earlier turn"
UNANSWERED = "the question before had no answer, and is left out"
BRANCH = "an edit, or another branch, goes on from there"
NOTES = "the notes recalled for this question changed"
DATA = "the text attached to this question changed"
DATE = "the chat template writes a date there, which is another"
STRANGER = "the cells held another conversation, and no more of this one is on disk"
GONE = "no more of this conversation was kept, in memory or on disk"


@dataclass(frozen=True, slots=True)
class Reuse:
    """How a prompt met what was kept: they agree for `agreed` tokens, and `reused` of them are not evaluated
    again; `held` cells there were, which `moved` where the context grew.

    `read` are the pieces of the prompt that the cells were read for last, where that was of the same
    conversation. Of the messages, `reasoned`, `given_back` and `by_hand` are those whose reasoning, or notes
    and data, are not sent any more, `unanswered` and `left_out` those that are not sent at all, and
    `closed_up` those that are sent right behind one that was left out. `setting` finds what sets the way of
    running apart under which this conversation was kept instead.
    """

    prompt: Prompt
    reused: int
    agreed: int
    held: int
    behaviour: TemplateBehaviour
    moved: bool = False
    read: Sequence[Piece] = ()
    reasoned: Set[str] = frozenset()
    given_back: Set[str] = frozenset()
    by_hand: Set[str] = frozenset()
    unanswered: Set[str] = frozenset()
    left_out: Set[str] = frozenset()
    closed_up: Set[str] = frozenset()
    setting: Callable[[], str | None] = lambda: None

    @property
    def miss(self) -> str | None:
        """A sentence; None where all that was said before is reused."""
        if not self.prompt.verbatim_turns + self.prompt.summarized_turns:
            return self._first_turn()
        why = self.why
        if self.reused < min(self.agreed, self.prompt.total - 1) - (0 if self.moved else LITTLE):
            whole = MOVED if self.moved else CUT
            why = f"{why}, and {whole}" if why else whole
        return f"{self._amount}: {why}" if why else None

    @property
    def why(self) -> str | None:
        """Why the prompt ceases to agree before this turn; None where it does not."""
        if end_of_past(self.prompt) - self.agreed > LITTLE:
            return self._lost()
        return self._changed()

    @property
    def _amount(self) -> str:
        return f"reused {self.reused:,} of {self.prompt.total:,} tokens"

    def _first_turn(self) -> str:
        if not self.reused:
            return "first turn: nothing of it was read before"
        why = self._changed() or (DATE if self._is_at_date() else "the rest is new")
        return f"first turn: {self._amount}; {why}"

    def _changed(self) -> str | None:
        """Why what was read in the place of this turn is another: None where nothing was."""
        now, before = self._piece(self.prompt.pieces), self._piece(self.read)
        if before is None or now is None or before.turn != _newest(self.prompt) or self.held <= self.agreed:
            return None
        for section, why in ((Section.NOTES, NOTES), (Section.DATA, DATA)):
            if section in (now.section, before.section):
                return why
        if now.owner == before.owner:
            return None
        return UNANSWERED if before.owner in self.unanswered else BRANCH

    def _lost(self) -> str:
        """Why of what was said before not all is reused."""
        place, before = self._piece(self.prompt.pieces), self._piece(self.read)
        assert place
        if (place.turn in (None, 1)) and (apart := self.setting()):
            return f"the model or a setting changed: what was kept belongs to {apart}"
        return self._by_section(place) or self._by_message(place, before)

    def _by_section(self, place: Piece) -> str | None:
        """What changed before the first turn that is sent word for word."""
        if place.turn is not None or place.section not in (Section.SUMMARY, Section.PINS):
            return None
        return COMPACTION if self.prompt.summarized_turns else PINS

    def _by_message(self, place: Piece, before: Piece | None) -> str:
        """What changed in a message, or that it was not kept."""
        if place.owner in self.given_back | self.by_hand:
            return BY_HAND if place.owner in self.by_hand else GIVEN_BACK
        if place.owner in self.reasoned:
            return REASONING if self.behaviour.strips_reasoning else NO_ROOM
        if before and Section.PINS in (before.section, place.section):
            return PINS
        if before and before.owner != place.owner:
            return LEFT_OUT if before.owner in self.left_out else BRANCH
        if before is None and place.owner in self.closed_up:
            return LEFT_OUT
        return STRANGER if self.held > self.agreed else GONE

    def _is_at_date(self) -> bool:
        """Whether what differs first is in what the template writes at the beginning."""
        first = self.prompt.pieces[0]
        return (
            self.behaviour.dated
            and self.held > self.agreed
            and first.section is Section.TEMPLATE
            and self.agreed < len(first.ids)
        )

    def _piece(self, pieces: Sequence[Piece]) -> Piece | None:
        """What stands where they cease to agree, or next behind it where that is the template's."""
        end = 0
        for piece in pieces:
            end += len(piece.ids)
            if end > self.agreed and piece.section is not Section.TEMPLATE:
                return piece
        return None


def _newest(prompt: Prompt) -> int:
    return max((piece.turn for piece in prompt.pieces if piece.turn is not None), default=1)


def end_of_past(prompt: Prompt) -> int:
    """The place behind the last token that was said before this turn, or stands for it."""
    end = at = 0
    for piece in prompt.pieces:
        at += len(piece.ids)
        if piece.turn == _newest(prompt):
            break
        if piece.section is not Section.TEMPLATE:
            end = at
    return end
