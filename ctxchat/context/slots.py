"""The messages of a prompt, each as parts that count under one section."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ctxchat.context.attachments import reclaimable
from ctxchat.context.omissions import bare
from ctxchat.domain.conversation import Message, Pin, Role, Section, count_turns
from ctxchat.domain.model import SystemPlacement, TemplateBehaviour
from ctxchat.domain.prompt import SegmentKey
from ctxchat.domain.summary import SummaryBlock

SEPARATOR = "\n\n"


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
    `reclaimed` and of those `given_back` are left out, so are the messages `left_out`, whole turns of
    which are named, and all of it is listed as dropped. `begun` is an answer that is to be gone on with:
    it stands at the end.
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
    given_back: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    begun: Message | None = None

    @property
    def sent(self) -> list[Message]:
        """The history without what a person left out."""
        return [message for message in self.history if message.id not in self.left_out]

    @property
    def bare(self) -> set[str]:
        """The messages whose notes and data are not sent any more."""
        return bare(self.history, self.reclaimed, self.given_back)


@dataclass(frozen=True, slots=True)
class Part:
    """Text of a message that is yet to be tokenized, or has its ids."""

    section: Section
    text: str
    ids: tuple[int, ...] | None = None
    source: SegmentKey | None = None
    owner: str | None = None
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A message of the prompt, as parts."""

    role: Role
    parts: tuple[Part, ...]


def slots_of(content: PromptContent, behaviour: TemplateBehaviour, wording: Wording) -> list[Slot]:
    """The messages of a prompt in their order, as this template takes them."""
    standing = [Part(Section.PINS, p.text, owner=p.id) for p in content.pins if p.leads]
    summaries = [Part(Section.SUMMARY, block.text, owner=block.id) for block in content.blocks]
    slots = [*_told(standing, wording.pins, wording), *_told(summaries, wording.summary, wording)]
    if content.sent and content.sent[0].role is Role.ASSISTANT:
        slots.append(Slot(Role.USER, (Part(Section.TEMPLATE, wording.opening),)))
    strips = behaviour.strips_reasoning or not content.reasoning
    riding = {(pin.message, pin.text) for pin in content.pins}
    bare_ones = content.bare
    turn = sum(block.turns for block in content.blocks)
    for message in content.history:
        turn += message.role is Role.USER
        if message.id not in content.left_out:
            slots.append(_past(message, turn or None, riding, strips=strips, bare=message.id in bare_ones))
    if content.question is not None:
        slots.append(Slot(Role.USER, tuple(_question(content, content.question, turn + 1))))
    return _with_system(_merged(slots), content.system, behaviour)


def _told(texts: list[Part], around: tuple[str, str], wording: Wording) -> Iterable[Slot]:
    """Texts that stand as a question and a short answer: every template takes those."""
    if not texts:
        return
    before, after = around
    parts = [Part(Section.TEMPLATE, before)]
    for number, text in enumerate(texts):
        parts += [Part(Section.TEMPLATE, SEPARATOR), text] if number else [text]
    parts.append(Part(Section.TEMPLATE, after))
    yield Slot(Role.USER, tuple(part for part in parts if part.text))
    yield Slot(Role.ASSISTANT, (Part(Section.TEMPLATE, wording.reply),))


def _past(
    message: Message,
    turn: int | None,
    riding: Collection[tuple[str | None, str]],
    *,
    strips: bool,
    bare: bool,
) -> Slot:
    """A message of an earlier turn: its question counts as history now.

    Reasoning is left out where it is to be stripped, and where its ids, which hold its tags, are
    not those of this vocabulary. A pin is left out that no longer rides in this message, and notes and data
    of a `bare` one.
    """
    parts: list[Part] = []
    gone = reclaimable(message.segments) if bare else ()
    for at, (segment, part) in enumerate(zip(message.segments, parts_of(message, turn), strict=True)):
        if at in gone:
            continue
        if segment.reasoning and (strips or segment.ids is None):
            continue
        if segment.section is Section.PINS and (message.id, segment.text) not in riding:
            continue
        section = Section.HISTORY if segment.section is Section.QUESTION else segment.section
        parts.append(replace(part, section=section))
    return Slot(message.role, tuple(parts))


def _question(content: PromptContent, question: Message, turn: int) -> Iterable[Part]:
    """One that is asked again may hold a pin that is gone by now, or stands elsewhere."""
    held = {message.id for message in content.history}
    riding = {pin.text for pin in content.pins if not pin.leads and pin.message not in held}
    for part in parts_of(question, turn):
        if part.section is not Section.PINS or part.text in riding:
            yield part


def begun_parts(content: PromptContent) -> Iterable[Part]:
    """An answer as far as it was decoded: reasoning is part of it, where its ids are known."""
    assert content.begun is not None
    turn = sum(block.turns for block in content.blocks) + count_turns(content.history) + 1
    for segment, part in zip(content.begun.segments, parts_of(content.begun, turn), strict=True):
        if not segment.reasoning or segment.ids is not None:
            yield part


def parts_of(message: Message, turn: int | None) -> Iterable[Part]:
    """A part for each segment."""
    for index, segment in enumerate(message.segments):
        yield Part(
            segment.section, segment.text, segment.ids, SegmentKey(message.id, index), message.id, turn
        )


def _merged(slots: Iterable[Slot]) -> list[Slot]:
    """Neighbours of one role become one message, for templates that demand alternation."""
    merged: list[Slot] = []
    for slot in slots:
        if merged and merged[-1].role is slot.role:
            joint = (*merged[-1].parts, Part(Section.TEMPLATE, SEPARATOR), *slot.parts)
            merged[-1] = Slot(slot.role, joint)
        else:
            merged.append(slot)
    return merged


def _with_system(slots: list[Slot], system: str, behaviour: TemplateBehaviour) -> list[Slot]:
    """Put the system text where this template keeps it in place."""
    if not system:
        return slots
    part = Part(Section.SYSTEM, system)
    if behaviour.system is SystemPlacement.OWN_ROLE:
        return [Slot(Role.SYSTEM, (part,)), *slots]
    if not slots:
        return slots
    first, *others = slots
    return [Slot(first.role, (part, Part(Section.TEMPLATE, SEPARATOR), *first.parts)), *others]
