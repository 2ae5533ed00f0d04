"""Attached text that does not fit beside everything else is filtered; structured data is encoded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ctxchat.context.attachments import Attachment, question_segments
from ctxchat.context.budget import shared_out
from ctxchat.domain.conversation import Message, Section
from ctxchat.domain.receipt import FilterStep
from ctxchat.service.assembly import Assembly
from ctxchat.service.request import AskRequest

WHOLE = 1 << 40
"""Tokens that no text has."""

DATA_SHARE = 0.5
"""What attached text may take of what may be used though past turns are folded for it."""


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


def without_attached(question: Message, request: AskRequest) -> Message:
    """A question as it was journaled, without what was attached to it: its pins and its words."""
    attached = len(question_segments("", (*request.attachments, *request.data))) - 1
    pins = question.segments[: len(question.segments) - attached - 1]
    return replace(question, segments=(*pins, question.segments[-1]))


def filtered_question(
    request: AskRequest, bare: Message, assembly: Assembly, *, beside: int, least: int
) -> FilteredQuestion:
    """Filter what was attached, where it is more than the room it has, and encode structured data.

    `bare` is the question without what was attached. `beside` are the tokens of the prompt with that,
    `least` those once all past turns are folded.
    """
    whole = (*request.attachments, *request.data)
    usable = assembly.budget.usable
    scaffold = _scaffold(whole, assembly)
    room = usable - beside - scaffold
    if assembly.policy.folds:
        room = max(room, min(int(usable * DATA_SHARE), usable - least - scaffold))
    fitted = list(_fitted(request, assembly, room))
    kept = [one.attachment for one in fitted]
    segments = (*bare.segments[:-1], *question_segments(request.question, kept))
    return FilteredQuestion(
        replace(bare, segments=segments),
        _one_line_of([one.steps for one in fitted]),
        tuple(attachment.text for attachment in kept),
        tuple(old for old, new in zip(whole, kept, strict=True) if old.text != new.text),
    )


def _scaffold(attachments: Sequence[Attachment], assembly: Assembly) -> int:
    """Tokens of what stands around attached texts at the most: what is left of one may end without a
    newline, and needs no longer fence."""
    around = (s for s in question_segments("", attachments) if s.section is Section.TEMPLATE)
    return sum(assembly.count(segment.text) for segment in around) + len(attachments)


def _fitted(request: AskRequest, assembly: Assembly, room: int) -> Iterator[_Fitted]:
    sizes = [assembly.count(a.text) for a in (*request.attachments, *request.data)]
    tables = list(zip(request.data, sizes[len(request.attachments) :], strict=True))
    wanted = sizes[: len(request.attachments)]
    wanted += [_wanted(table, request.question, size, room, assembly) for table, size in tables]
    rooms = [WHOLE] * len(wanted)
    if request.filters and assembly.policy.folds and sum(wanted) > room:
        shares = zip(shared_out(wanted, max(room, 0)), wanted, strict=True)
        rooms = [WHOLE if share >= all_of_it else share for share, all_of_it in shares]
    given = zip(sizes, rooms, strict=True)
    for attachment in request.attachments:
        yield _filtered(attachment, request.question, *next(given), assembly)
    for attachment in request.data:
        yield _encoded(attachment, request.question, *next(given), assembly)


def _wanted(table: Attachment, question: str, size: int, room: int, assembly: Assembly) -> int:
    """Tokens of a table with all its rows: more than it came in, for what is said of its columns. One that
    came in more than the room is not encoded to know it."""
    return size if size > room else _encoded(table, question, size, WHOLE, assembly).steps[-1].after


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
