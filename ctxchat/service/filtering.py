"""Attached text that does not fit beside everything else is filtered; structured data is encoded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ctxchat.context.attachments import Attachment, question_segments
from ctxchat.context.budget import shared_out
from ctxchat.domain.conversation import Message
from ctxchat.domain.receipt import FilterStep
from ctxchat.service.assembly import Assembly
from ctxchat.service.request import AskRequest

WHOLE = 1 << 40
"""Tokens that no text has."""

DATA_SHARE = 0.5
"""What attached text may take of what may be used though past turns are folded for it."""


ABOUT_A_TABLE = 200
"""Tokens of what is said of a table beside its rows, for its share of a window that is short."""


@dataclass(frozen=True, slots=True)
class FilteredQuestion:
    """A question as it will be sent. `originals` are attached texts that are not sent whole."""

    question: Message
    steps: tuple[FilterStep, ...] = ()
    texts: tuple[str, ...] = ()
    originals: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class _Fitted:
    """An attached text as it will be sent, and what was done to it."""

    attachment: Attachment
    steps: tuple[FilterStep, ...] = ()


def filtered_question(
    request: AskRequest, question: Message, assembly: Assembly, *, beside: int, least: int
) -> FilteredQuestion:
    """Filter what was attached, where it is more than the room it has, and encode structured data.

    `beside` are the tokens of the prompt without what was attached, `least` those once all past
    turns are folded.
    """
    whole = (*request.attachments, *request.data)
    if not whole:
        return FilteredQuestion(question)
    usable = assembly.budget.usable
    scaffold = sum(
        assembly.count(s.text) for s in question_segments("", [replace(a, text="") for a in whole])
    )
    room = usable - beside - scaffold
    if assembly.policy.folds:
        room = max(room, min(int(usable * DATA_SHARE), usable - least - scaffold))
    fitted = list(_fitted(request, assembly, room))
    kept = [one.attachment for one in fitted]
    pins = question.segments[: len(question.segments) - len(question_segments(request.question, whole))]
    segments = (*pins, *question_segments(request.question, kept))
    return FilteredQuestion(
        replace(question, segments=segments),
        _one_line_of([one.steps for one in fitted]),
        tuple(attachment.text for attachment in kept),
        tuple(old for old, new in zip(whole, kept, strict=True) if old.text != new.text),
    )


def _fitted(request: AskRequest, assembly: Assembly, room: int) -> Iterator[_Fitted]:
    filters = request.filters and assembly.policy.folds
    attached = [assembly.count(a.text) for a in request.attachments]
    tables = [assembly.count(a.text) for a in request.data]
    rooms = _rooms(attached, tables, room) if filters else [*attached, *tables]
    shares = iter(zip((*attached, *tables), rooms, strict=True))
    for attachment in request.attachments:
        yield _filtered(attachment, request.question, *next(shares), assembly)
    for attachment in request.data:
        size, share = next(shares)
        yield _encoded(attachment, request.question, size, share if filters else WHOLE, assembly)


def _rooms(attached: list[int], tables: list[int], room: int) -> list[int]:
    """What each text may take. A table as it is sent, with its types and what was counted, can be more
    than it was in its file: where all fits, tables have what is left."""
    spare = room - sum(attached) - sum(tables)
    if spare < 0:
        return shared_out([*attached, *(size + ABOUT_A_TABLE for size in tables)], max(room, 0))
    return [*attached, *(size + spare // len(tables) for size in tables)]


def _filtered(attachment: Attachment, question: str, size: int, room: int, assembly: Assembly) -> _Fitted:
    condensed = _condensed(attachment, size)
    if size <= room:
        return _Fitted(attachment, condensed)
    from ctxchat.context.filters.pipeline import filtered

    result = filtered(attachment.text, question, room, assembly.count)
    return _Fitted(replace(attachment, text=result.text), (*condensed, *result.steps))


def _condensed(attachment: Attachment, size: int) -> tuple[FilterStep, ...]:
    """What reading made of a text that was too long to be held: its tokens are estimated by those of
    what is left."""
    if not attachment.condensed_from or not attachment.text:
        return ()
    from ctxchat.context.filters.stream import RULE

    before = round(attachment.condensed_from * size / len(attachment.text))
    return (FilterStep(RULE, before, size, exact=False),)


def _encoded(attachment: Attachment, question: str, size: int, room: int, assembly: Assembly) -> _Fitted:
    from ctxchat.context.tables.block import table_block
    from ctxchat.context.tables.read import read_table

    table = read_table(attachment.text, attachment.label)
    text = table_block(table, question, room, assembly.count).text
    return _Fitted(
        replace(attachment, text=text), (FilterStep("table by its rows", size, assembly.count(text)),)
    )


def _one_line_of(steps: Sequence[tuple[FilterStep, ...]]) -> tuple[FilterStep, ...]:
    """The steps of several texts as steps of all of them: each begins at what the one before left."""
    firsts = [each[0] for each in steps if each]
    total = sum(step.before for step in firsts)
    estimated = sum(not step.exact for each in steps for step in each)
    line: list[FilterStep] = []
    for each in steps:
        for step in each:
            after = total - step.before + step.after
            line.append(FilterStep(step.rule, total, after, exact=not estimated))
            estimated -= not step.exact
            total = after
    return tuple(line)
