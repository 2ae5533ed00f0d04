"""What of the found passages goes into a prompt, and how it stands there.

It stands in the last user message, in one fence, each passage under a label that the answer can
cite. Nothing is recalled that is in the window already, and nothing that is not near the question.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import PurePath

from ctxchat.context.attachments import fence_for, one_line
from ctxchat.domain.conversation import Message, Section, Segment
from ctxchat.domain.dates import day
from ctxchat.domain.passage import Hit, Passage, PassageKind
from ctxchat.domain.prompt import OVER_BUDGET, Dropped
from ctxchat.domain.receipt import Citation
from ctxchat.domain.words import content_words, words

Count = Callable[[str], int]

SHARE = 0.1
"""What recalled passages may take of what may be used."""

EXCERPTS = 3
"""So many of the best hits are shortened to what has to do with the question, if they do not fit."""

LEAST_EXCERPT = 24
"""Tokens a part of a passage needs to say anything."""

CANDIDATES = 64
"""Hits that are looked at: more than fit into the share of most windows."""

ABOUT, ALIKE = 0.75, 0.5
"""A question is about what is on record where the share of its rare words that one passage holds and
the cosine to it come to the first in sum, or the cosine alone to the second."""

WORTH = 0.5
"""Then passages whose sum is this are worth a place.

Measured on conversations of LoCoMo without names: 87 % of the evidence among the first twelve hits
stays, 98 % where the question is wrapped in two sentences of politeness; of questions about nothing
that was said one in twenty finds anything."""

FEW_WORDS = 3
"""A question of fewer content words than this means what the one before it meant."""

_ASKING = frozenset("what when where which who whose why how".split())  # noqa: SIM905
_SMALL_TALK = frozenset(
    """
    ah alright awesome bye cheers cool day evening excellent fine go good goodbye goodnight great haha
    hello hey hi hm hmm like lol lot lovely many morning much nice nope oh ok okay perfect please right
    see sorry sure thank thanks thx well wonderful wow yeah yep yes
    """.split()  # noqa: SIM905 - a list of words reads as words
)

_LABEL = re.compile(r"^\[n(\d+)\] ?(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Recalled:
    """Passages for a prompt in the order they stand there, and the segments they stand in. `dropped` were
    nearer to the question than some of them, or than nothing, and found no room."""

    hits: tuple[Hit, ...] = ()
    citations: tuple[Citation, ...] = ()
    segments: tuple[Segment, ...] = ()
    dropped: tuple[Dropped, ...] = ()


def query_of(question: str, earlier: Sequence[str]) -> str:
    """What to look for: the question, and where it says too little the one before it too. Empty where
    it asks for nothing: a greeting, or thanks."""
    said = words(question)
    content = [word for word in content_words(question) if word not in _SMALL_TALK]
    asks = any(word in _ASKING for word in said) and "you" not in said
    if len(content) >= FEW_WORDS:
        return question
    if not content and not (asks and earlier):
        return ""
    return f"{earlier[-1]}\n{question}" if earlier else question


def near(hits: Iterable[Hit]) -> list[Hit]:
    """Those that have to do with the question, whatever the others are like."""
    found = list(hits)
    about = any(_nearness(hit) >= ABOUT for hit in found)
    return [hit for hit in found if hit.cosine >= ALIKE or (about and _nearness(hit) >= WORTH)]


def recalled(
    hits: Sequence[Hit],
    sent: Sequence[Message],
    room_tokens: int,
    count: Count,
    wording: tuple[str, str],
    *,
    first: int = 1,
    query: str = "",
) -> Recalled | None:
    """The best passages that fit into `room_tokens` with all that stands around them, None where there is
    none that is new. Of one of the best that does not fit a part goes, chosen by the `query` and marked;
    others are skipped. `sent` are the messages that are sent anyway with what is attached to them,
    `wording` is what stands before and behind the passages, and `first` the number of the first label."""
    chosen: list[Hit] = []
    left = room_tokens - count("".join(wording)) - count("```notes\n\n```\n\n")
    new = list(_unsent(hits, sent))
    for rank, hit in enumerate(new):
        # Tokens of parts are not quite tokens of the whole: that is counted once it nearly fits.
        label = count(f"\n[n99] {_source(hit.passage)}\n")
        if hit.passage.kind is PassageKind.TURN:
            label += count(f"{day(hit.passage.at)}\n")
        if count(hit.passage.text) + label > left and query and rank < EXCERPTS:
            hit = _excerpt(hit, query, left - label, count)  # noqa: PLW2901 - it stands for its whole
        cost = count(hit.passage.text) + label
        if cost <= left:
            chosen.append(hit)
            left -= cost
    while chosen:
        built = _built(chosen, first, count, wording)
        if sum(count(segment.text) for segment in built.segments) <= room_tokens:
            return replace(built, dropped=_passed_over(new, chosen, count))
        chosen.pop()
    return Recalled(dropped=_passed_over(new[:1], (), count)) if new else None


def _excerpt(hit: Hit, query: str, room_tokens: int, count: Count) -> Hit:
    """A passage by what of it has to do with the query; as it is where a part would say nothing."""
    if room_tokens < LEAST_EXCERPT:
        return hit
    from ctxchat.context.filters.pipeline import filtered

    text = filtered(hit.passage.text, query, room_tokens, count).text
    says = set(content_words(query)) & set(words(text))
    return replace(hit, passage=replace(hit.passage, text=text)) if says else hit


def labels_in(messages: Iterable[Message]) -> dict[int, tuple[str, Segment]]:
    """The labels of passages that were recalled for these messages, each with the source that stands
    beside it and its segment."""
    found: dict[int, tuple[str, Segment]] = {}
    for message in messages:
        for before, segment in pairwise(message.segments):
            labels = list(_LABEL.finditer(before.text)) if segment.passage else []
            if labels:
                found[int(labels[-1][1])] = (labels[-1][2], segment)
    return found


def placed(question: Message, recalled_segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """The segments of a question with what was recalled before its words."""
    return (*question.segments[:-1], *recalled_segments, question.segments[-1])


def texts_by_label(recalled: Recalled) -> Mapping[str, str]:
    return {c.label: h.passage.text for c, h in zip(recalled.citations, recalled.hits, strict=True)}


def _nearness(hit: Hit) -> float:
    return hit.matched + hit.cosine


def _passed_over(ranked: Sequence[Hit], chosen: Sequence[Hit], count: Count) -> tuple[Dropped, ...]:
    """What ranks before the last that was chosen, and was not: all where none was."""
    ids = [hit.passage.id for hit in ranked]
    taken = {hit.passage.id for hit in chosen}
    before = ranked[: ids.index(chosen[-1].passage.id)] if chosen else ranked
    return tuple(
        Dropped(Section.NOTES, hit.passage.id, count(hit.passage.text), OVER_BUDGET)
        for hit in before
        if hit.passage.id not in taken
    )


def _unsent(hits: Iterable[Hit], sent: Sequence[Message]) -> Iterator[Hit]:
    """Hits whose text is not in the window, each text once."""
    standing = [s.text for m in sent for s in m.segments if s.section is Section.DATA]
    seen = {s.passage for m in sent for s in m.segments if s.passage}
    texts = {m.spoken.strip() for m in sent}
    for hit in hits:
        text = hit.passage.text.strip()
        if hit.passage.id in seen or text in texts or not text:
            continue
        if hit.passage.kind is PassageKind.DATA and any(text in whole for whole in standing):
            continue
        texts.add(text)
        yield hit


def _built(hits: Sequence[Hit], first: int, count: Count, wording: tuple[str, str]) -> Recalled:
    ordered = sorted(hits, key=_place)
    fence = fence_for("\n".join(hit.passage.text for hit in ordered))
    before, after = wording
    segments: list[Segment] = []
    citations: list[Citation] = []
    lead = f"{before}{fence}notes\n"
    date = None
    for number, hit in enumerate(ordered, start=first):
        passage = hit.passage
        if passage.kind is PassageKind.TURN and (said := day(passage.at)) != date:
            lead, date = f"{lead}{said}\n", said
        segments += [
            Segment(Section.TEMPLATE, f"{lead}[n{number}] {_source(passage)}\n"),
            Segment(Section.NOTES, passage.text.rstrip("\n"), passage=passage.id),
        ]
        citations.append(
            Citation(
                label=f"n{number}",
                id=passage.id,
                collection=passage.collection,
                source=passage.source,
                score=hit.score,
                tokens=count(segments[-1].text),
            )
        )
        lead = "\n"
    segments.append(Segment(Section.TEMPLATE, f"\n{fence}{after}\n\n"))
    return Recalled(tuple(ordered), tuple(citations), tuple(segments))


def _place(hit: Hit) -> tuple[int, float]:
    """Notes and data by rank; then turns as they were said, so that a date stands once."""
    if hit.passage.kind is PassageKind.TURN:
        return 1, hit.passage.at.timestamp()
    return 0, -hit.score


def _source(passage: Passage) -> str:
    if passage.kind is PassageKind.TURN:
        return one_line(passage.name or str(passage.role or ""))
    # Where a file lies says little and takes many tokens; the receipt has the whole path.
    return one_line(PurePath(passage.source).name)
