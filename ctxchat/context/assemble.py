"""The one place a prompt is built: from what is recorded to token ids, each with its section.

A prompt is a row of messages. What the chat template puts between them is tokenized with control
tokens, what the messages say is not, so no text can become a control token. Recorded ids are used
where there are any: text is tokenized once, and an answer keeps the ids it was decoded as.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ctxchat.context.attachments import reclaimable, still_attached
from ctxchat.domain.conversation import Message, Pin, Role, Section, count_turns
from ctxchat.domain.model import SystemPlacement, TemplateBehaviour
from ctxchat.domain.ports import Template, Vocabulary
from ctxchat.domain.prompt import Dropped, Piece, Prompt, SegmentKey
from ctxchat.domain.summary import SummaryBlock

SEPARATOR = "\n\n"
RECLAIMED = "of an earlier turn, to make room; it is recalled where a question needs it"


@dataclass(frozen=True, slots=True)
class Wording:
    """The program's own words in a prompt, from its prompt files.

    `pins`, `summary` and `notes` are what stands before and after pinned texts, summary blocks and
    recalled passages. `reply` answers the first two, and `opening` is the question put before a
    conversation that begins with an answer.
    """

    pins: tuple[str, str]
    summary: tuple[str, str]
    reply: str
    opening: str
    notes: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class PromptContent:
    """What a prompt is to hold: `history` are the messages behind those the `blocks` cover.

    `question` is None where only the history is asked for; `started` is the date a template may
    show, that of the conversation, so that it never changes. Without `reasoning` that of earlier
    turns is left out also where the template would keep it. Notes and data of messages up to
    `reclaimed` are left out, and listed as dropped.
    """

    system: str
    pins: Sequence[Pin]
    blocks: Sequence[SummaryBlock]
    history: Sequence[Message]
    question: Message | None
    started: datetime
    think: bool | None = None
    reasoning: bool = True
    reclaimed: str | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """Text of a message that is yet to be tokenized, or has its ids."""

    section: Section
    text: str
    ids: tuple[int, ...] | None = None
    source: SegmentKey | None = None
    owner: str | None = None
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class _Slot:
    """A message of the prompt, as parts."""

    role: Role
    parts: tuple[_Part, ...]


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
    judge; nothing is left out here but reasoning that the template strips, and what was reclaimed."""
    slots = _slots(content, template.behaviour, wording)
    scaffold = template.scaffold(
        [slot.role for slot in slots],
        at=content.started,
        think=content.think,
        answer=content.question is not None,
    )
    return Prompt(
        pieces=_pieces(slots, scaffold.literals, vocabulary),
        window=window,
        reserve=reserve,
        verbatim_turns=count_turns(content.history),
        summarized_turns=sum(block.turns for block in content.blocks),
        exact=vocabulary.exact,
        opens_reasoning=scaffold.opens_reasoning,
        budget=budget,
        dropped=tuple(_reclaimed(content, vocabulary)),
    )


def _slots(content: PromptContent, behaviour: TemplateBehaviour, wording: Wording) -> list[_Slot]:
    standing = [_Part(Section.PINS, p.text, owner=p.id) for p in content.pins if p.leads]
    summaries = [_Part(Section.SUMMARY, block.text, owner=block.id) for block in content.blocks]
    slots = [*_told(standing, wording.pins, wording), *_told(summaries, wording.summary, wording)]
    if content.history and content.history[0].role is Role.ASSISTANT:
        slots.append(_Slot(Role.USER, (_Part(Section.TEMPLATE, wording.opening),)))
    strips = behaviour.strips_reasoning or not content.reasoning
    riding = {(pin.message, pin.text) for pin in content.pins}
    bare = _bare(content)
    turn = sum(block.turns for block in content.blocks)
    for message in content.history:
        turn += message.role is Role.USER
        slots.append(_past(message, turn or None, riding, strips=strips, bare=message.id in bare))
    if content.question is not None:
        slots.append(_Slot(Role.USER, tuple(_parts(content.question, turn + 1))))
    return _with_system(_merged(slots), content.system, behaviour)


def _told(texts: list[_Part], around: tuple[str, str], wording: Wording) -> Iterable[_Slot]:
    """Texts that stand as a question and a short answer: every template takes those."""
    if not texts:
        return
    before, after = around
    parts = [_Part(Section.TEMPLATE, before)]
    for number, text in enumerate(texts):
        parts += [_Part(Section.TEMPLATE, SEPARATOR), text] if number else [text]
    parts.append(_Part(Section.TEMPLATE, after))
    yield _Slot(Role.USER, tuple(part for part in parts if part.text))
    yield _Slot(Role.ASSISTANT, (_Part(Section.TEMPLATE, wording.reply),))


def _past(
    message: Message,
    turn: int | None,
    riding: Collection[tuple[str | None, str]],
    *,
    strips: bool,
    bare: bool,
) -> _Slot:
    """A message of an earlier turn: its question counts as history now.

    Reasoning is left out where it is to be stripped, and where its ids, which hold its tags, are
    not those of this vocabulary. A pin is left out that no longer rides in this message, and notes and data
    of a `bare` one.
    """
    parts: list[_Part] = []
    gone = reclaimable(message.segments) if bare else ()
    for at, (segment, part) in enumerate(zip(message.segments, _parts(message, turn), strict=True)):
        if at in gone:
            continue
        if segment.reasoning and (strips or segment.ids is None):
            continue
        if segment.section is Section.PINS and (message.id, segment.text) not in riding:
            continue
        section = Section.HISTORY if segment.section is Section.QUESTION else segment.section
        parts.append(replace(part, section=section))
    return _Slot(message.role, tuple(parts))


def _bare(content: PromptContent) -> set[str]:
    """The messages whose notes and data are not sent any more."""
    attached = still_attached(content.history, content.reclaimed)
    return {m.id for m in content.history[: len(content.history) - len(attached)]}


def _reclaimed(content: PromptContent, vocabulary: Vocabulary) -> Iterable[Dropped]:
    bare = _bare(content)
    for message in content.history:
        for segment in message.segments if message.id in bare else ():
            if segment.section in (Section.DATA, Section.NOTES):
                ids = segment.ids
                if ids is None:
                    ids = vocabulary.tokenize(segment.text, special=False, after=None)
                yield Dropped(segment.section, segment.passage or message.id, len(ids), RECLAIMED)


def _parts(message: Message, turn: int | None) -> Iterable[_Part]:
    for index, segment in enumerate(message.segments):
        yield _Part(
            segment.section, segment.text, segment.ids, SegmentKey(message.id, index), message.id, turn
        )


def _merged(slots: Iterable[_Slot]) -> list[_Slot]:
    """Neighbours of one role become one message, for templates that demand alternation."""
    merged: list[_Slot] = []
    for slot in slots:
        if merged and merged[-1].role is slot.role:
            joint = (*merged[-1].parts, _Part(Section.TEMPLATE, SEPARATOR), *slot.parts)
            merged[-1] = _Slot(slot.role, joint)
        else:
            merged.append(slot)
    return merged


def _with_system(slots: list[_Slot], system: str, behaviour: TemplateBehaviour) -> list[_Slot]:
    """Put the system text where this template keeps it in place."""
    if not system:
        return slots
    part = _Part(Section.SYSTEM, system)
    if behaviour.system is SystemPlacement.OWN_ROLE:
        return [_Slot(Role.SYSTEM, (part,)), *slots]
    if not slots:
        return slots
    first, *others = slots
    return [_Slot(first.role, (part, _Part(Section.TEMPLATE, SEPARATOR), *first.parts)), *others]


def _pieces(slots: list[_Slot], literals: Sequence[str], vocabulary: Vocabulary) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    last: int | None = None

    def add(piece: Piece) -> None:
        nonlocal last
        if piece.ids:
            last = piece.ids[-1]
        if piece.ids or piece.source:
            pieces.append(piece)

    def add_literal(literal: str) -> None:
        ids = vocabulary.tokenize(literal, special=True, after=last) if literal else ()
        if not pieces and ids[: len(vocabulary.begin)] != vocabulary.begin:
            ids = vocabulary.begin + ids
        add(Piece(Section.TEMPLATE, literal, ids))

    add_literal(literals[0])
    for slot, literal in zip(slots, literals[1:], strict=True):
        for part in slot.parts:
            fresh = part.ids is None
            ids = vocabulary.tokenize(part.text, special=False, after=last) if part.ids is None else part.ids
            add(Piece(part.section, part.text, ids, part.source, fresh, part.owner, part.turn))
        add_literal(literal)
    return tuple(pieces)
