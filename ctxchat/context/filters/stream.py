"""A text too large to hold, read once: what it says again and again is counted while it passes.

Memory is bounded to some 64 MB: 8,000 templates of 400 characters, two megabytes of lines that are
kept, the last lines that hold a word of the question, and a megabyte of the stream at a time.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ctxchat.context.filters.lines import amount, clipped, mark
from ctxchat.context.filters.logs import AFTER, BEFORE
from ctxchat.context.filters.relevance import Term, hits, lowered, terms
from ctxchat.context.filters.templates import LineTemplate, Templates, signatures
from ctxchat.context.filters.terminal_codes import without_terminal_codes

RULE = "stream folded while it was read"

FIRST, LAST = 200, 400
LONGEST_LINE = 2_000
MOST_TEMPLATES = 8_000
MOST_KEPT = 1_900_000
"""Characters of the result."""

_BATCH = 1_000_000
_TERMS, _HITS_A_TERM = 30, 60
_EXAMPLES = 2
_MARK_LENGTH = 64
_FOR_EXAMPLES, _FOR_ERRORS, _FOR_FIRST_HITS, _FOR_LAST_HITS = 0.6, 0.5, 0.35, 0.2
"""What each must leave of the result to those behind it, as a share."""


@dataclass(frozen=True, slots=True)
class Condensed:
    """What is left of a stream: at most two megabytes of `text`, of so many `lines` and `characters`."""

    text: str
    lines: int
    characters: int
    rule: str = RULE


def condensed(lines: Iterable[str], question: str) -> Condensed:
    """Lines in one pass: the first and the last, an example of each template with its count, the first
    error of each kind with what stands around it, and lines that hold rare words of the question."""
    looked_for = sorted(terms(question), key=lambda term: -term.weight)
    stream = _Passing(looked_for[:_TERMS])
    for batch in _batches(lines):
        stream.take(batch)
    return stream.result()


def _batches(lines: Iterable[str]) -> Iterator[list[str]]:
    """Lines without their ends, about a megabyte at a time."""
    batch: list[str] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line)
        if size > _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@dataclass(slots=True)
class _Passing:
    """What is known of a stream so far. `kept` are lines by their number, `left` the characters that
    may still be kept."""

    looked_for: list[Term]
    lines: int = 0
    characters: int = 0
    left: int = MOST_KEPT
    kept: dict[int, str] = field(default_factory=dict)
    examples: dict[int, LineTemplate] = field(default_factory=dict)
    templates: Templates = field(default_factory=lambda: Templates(MOST_TEMPLATES))
    first_hits: Counter[Term] = field(default_factory=Counter)
    last_hits: dict[Term, deque[tuple[int, str]]] = field(default_factory=dict)
    shown: Counter[LineTemplate] = field(default_factory=Counter)
    last: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=LAST))
    before: list[str] = field(default_factory=list)
    awaited: int = 0

    def take(self, batch: list[str]) -> None:
        text = _joined(batch)
        self.characters += sum(map(len, batch))
        texts = text.split("\n")
        for place in range(max(0, min(FIRST - self.lines, len(texts)))):
            self._keep(self.lines + place, texts[place])
        self._learn(texts, signatures(text))
        self._find(text, texts)
        start = max(0, len(texts) - LAST)
        self.last.extend(
            (self.lines + place, clipped(texts[place], LONGEST_LINE)) for place in range(start, len(texts))
        )
        self.before = texts[-BEFORE:]
        self.lines += len(texts)

    def _learn(self, texts: list[str], line_signatures: list[bytes]) -> None:
        """Counts the lines of each template, and keeps the first of each that is new."""
        for place in range(min(self.awaited, len(texts))):
            self._keep(self.lines + place, texts[place], _FOR_ERRORS)
        self.awaited = 0
        counts = Counter(line_signatures)
        new = {signature for signature in counts if self.templates.known(signature) is None}
        met: dict[bytes, LineTemplate] = {}
        for place, signature in enumerate(line_signatures) if new else ():
            if signature in new:
                new.discard(signature)
                met[signature] = self._meet(texts, place, signature)
        for signature, count in counts.items():
            template = met.get(signature) or self.templates.known(signature)
            if template:
                template.count += count

    def _meet(self, texts: list[str], place: int, signature: bytes) -> LineTemplate:
        template = self.templates.learn(texts[place], signature)
        self.shown[template] += 1
        if self.shown[template] <= _EXAMPLES:
            self.examples[self.lines + place] = template
            self._keep(self.lines + place, texts[place], _FOR_ERRORS if template.severity else _FOR_EXAMPLES)
            if template.severity and self.shown[template] == 1:
                self._keep_around(texts, place)
        return template

    def _keep_around(self, texts: list[str], place: int) -> None:
        earlier = [*self.before, *texts[:place]][-BEFORE:]
        for back, text in enumerate(reversed(earlier), 1):
            self._keep(self.lines + place - back, text, _FOR_ERRORS)
        for after in range(place + 1, min(place + 1 + AFTER, len(texts))):
            self._keep(self.lines + after, texts[after], _FOR_ERRORS)
        self.awaited = max(0, place + 1 + AFTER - len(texts))

    def _find(self, text: str, texts: list[str]) -> None:
        """Keeps the first lines that hold a word of the question, and lets the last ones wait."""
        lower = lowered(text)
        for term in self.looked_for:
            waiting = self.last_hits.setdefault(term, deque(maxlen=_HITS_A_TERM))
            line, start = 0, 0
            for place, _ in hits(lower, term):
                line += text.count("\n", start, place)
                start = place
                number = self.lines + line
                if waiting and waiting[-1][0] == number:
                    continue
                shown = _around(texts[line], place - text.rfind("\n", 0, place) - 1)
                waiting.append((number, shown))
                if self.first_hits[term] < _HITS_A_TERM:
                    self.first_hits[term] += 1
                    self._free(number, texts[line])
                    self._keep(number, shown, _FOR_FIRST_HITS)

    def _free(self, number: int, text: str) -> None:
        """Forgets what was kept of a line that is too long: what stands around a hit says more."""
        if len(text) > LONGEST_LINE:
            self.kept.pop(number, None)

    def _keep(self, number: int, text: str, for_others: float = 0.0) -> None:
        if self.left > MOST_KEPT * for_others and number not in self.kept:
            self.kept[number] = clipped(text, LONGEST_LINE)
            self.left -= len(self.kept[number]) + _MARK_LENGTH

    def result(self) -> Condensed:
        """Lines in their order, a mark in each gap, and the count of a template behind its example."""
        for found in self.last_hits.values():
            for number, text in found:
                self._keep(number, text, _FOR_LAST_HITS)
        for number, text in reversed(self.last):
            self._keep(number, text)
        parts = [mark(f"{len(self.kept):,} of {amount(self.lines, 'line')}, {self.characters:,} characters")]
        told: set[LineTemplate] = set()
        behind = -1
        for number in sorted(self.kept):
            parts += _gap(number - behind - 1)
            template = self.examples.get(number)
            more = template.count - 1 if template and template not in told else 0
            parts.append(self.kept[number] + (" " + mark(f"{more:,} more like this") if more > 2 else ""))
            told.update([template] if template else [])
            behind = number
        return Condensed("\n".join([*parts, *_gap(self.lines - behind - 1), ""]), self.lines, self.characters)


def _joined(batch: list[str]) -> str:
    """The lines of a batch as one text, without the end of the last."""
    text = "".join(line if line.endswith("\n") else line + "\n" for line in batch)
    if "\x1b" in text or "\r" in text:
        text = without_terminal_codes(text)
    return text[:-1]


def _around(text: str, place: int) -> str:
    """A line, or of one that is too long what stands around a place in it."""
    if len(text) <= LONGEST_LINE:
        return text
    start = max(0, place - LONGEST_LINE // 3)
    end = start + LONGEST_LINE // 2
    return (
        f"{mark(f'{start:,} characters')}{text[start:end]}{mark(f'{max(0, len(text) - end):,} characters')}"
    )


def _gap(lines: int) -> list[str]:
    return [mark(amount(lines, "line"))] if lines else []
