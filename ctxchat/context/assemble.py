"""The one place a prompt is built: from what is recorded to token ids, each with its section.

A prompt is a row of messages. What the chat template puts between them is tokenized with control
tokens, what the messages say is not, so no text can become a control token. Recorded ids are used
where there are any: text is tokenized once, and an answer keeps the ids it was decoded as.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ctxchat.context.begun import reasons_still
from ctxchat.context.omissions import dropped
from ctxchat.context.slots import (
    SEPARATOR,
    Part,
    PromptContent,
    Slot,
    Wording,
    begun_parts,
    parts_of,
    slots_of,
)
from ctxchat.domain.conversation import Message, Section, Segment, count_turns
from ctxchat.domain.ports import Template, Vocabulary
from ctxchat.domain.prompt import Dropped, Piece, Prompt

__all__ = ["SEPARATOR", "PromptContent", "Wording", "assemble", "with_question"]


def assemble(
    content: PromptContent,
    vocabulary: Vocabulary,
    template: Template,
    *,
    wording: Wording,
    window: int,
    reserve: int,
    budget: int | None = None,
) -> Prompt:
    """Build the prompt for a window, a reserve and a budget, in tokens. Whether it fits is the caller's to
    judge; nothing is left out here but reasoning that the template strips, what was reclaimed, and what a
    person left out."""
    behaviour = template.behaviour
    slots = slots_of(content, behaviour, wording)
    scaffold = template.scaffold(
        [slot.role for slot in slots],
        at=content.started,
        think=content.think,
        answer=content.question is not None,
    )
    line = _Line(vocabulary)
    line.add_slots(slots, scaffold.literals)
    roles = [slot.role for slot in slots]
    if content.begun is not None:
        line.add_parts(begun_parts(content), len(roles))
        roles.append(content.begun.role)
    return Prompt(
        pieces=tuple(line.pieces),
        window=window,
        reserve=reserve,
        verbatim_turns=count_turns(content.sent),
        summarized_turns=sum(block.turns for block in content.blocks),
        exact=vocabulary.exact,
        opens_reasoning=reasons_still(content.begun, behaviour, vocabulary, opens=scaffold.opens_reasoning),
        budget=budget,
        dropped=tuple(_dropped(content, vocabulary)),
        roles=tuple(roles),
    )


def with_question(prompt: Prompt, question: Message, vocabulary: Vocabulary) -> Prompt:
    """A prompt with other segments of its question: what stands before it is as it was."""
    places = [at for at, p in enumerate(prompt.pieces) if p.source and p.source.message == question.id]
    before, behind = prompt.pieces[: places[0]], prompt.pieces[places[-1] + 1 :]
    first = prompt.pieces[places[0]]
    line = _Line(vocabulary, before)
    line.add_parts(parts_of(question, first.turn), first.place)
    for piece in behind:
        line.add_literal(piece.text)
    return replace(prompt, pieces=tuple(line.pieces))


def _dropped(content: PromptContent, vocabulary: Vocabulary) -> Iterable[Dropped]:
    def count(segment: Segment) -> int:
        ids = segment.ids
        return len(vocabulary.tokenize(segment.text, special=False, after=None) if ids is None else ids)

    return dropped(content.history, content.bare, content.given_back, content.left_out, count)


class _Line:
    """Pieces of a prompt while they are put in a row: a text is tokenized behind the last id."""

    def __init__(self, vocabulary: Vocabulary, pieces: Iterable[Piece] = ()) -> None:
        self.pieces = list(pieces)
        self._vocabulary = vocabulary
        self._last = next((piece.ids[-1] for piece in reversed(self.pieces) if piece.ids), None)

    def add_slots(self, slots: Iterable[Slot], literals: Sequence[str]) -> None:
        self.add_literal(literals[0])
        for place, (slot, literal) in enumerate(zip(slots, literals[1:], strict=True)):
            self.add_parts(slot.parts, place)
            self.add_literal(literal)

    def add_parts(self, parts: Iterable[Part], place: int | None) -> None:
        for part in parts:
            fresh, ids = part.ids is None, part.ids
            if ids is None:
                ids = self._vocabulary.tokenize(part.text, special=False, after=self._last)
            self._add(Piece(part.section, part.text, ids, part.source, fresh, part.owner, part.turn, place))

    def add_literal(self, literal: str) -> None:
        begin = self._vocabulary.begin
        ids = self._vocabulary.tokenize(literal, special=True, after=self._last) if literal else ()
        if not self.pieces and ids[: len(begin)] != begin:
            ids = begin + ids
        self._add(Piece(Section.TEMPLATE, literal, ids))

    def _add(self, piece: Piece) -> None:
        if piece.ids:
            self._last = piece.ids[-1]
        if piece.ids or piece.source:
            self.pieces.append(piece)
