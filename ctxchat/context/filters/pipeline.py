"""What is sent of a text that does not fit its share.

First the rules that do not look at the question, nor at the room: the same text gives the same lines
whatever is asked, so that a second question finds them in the KV cache. Where they fit they are
sent whole, and lines they folded that hold rare words of the question stand behind them. Only where
they do not fit, units are chosen by the question and by their place, those of records with the titles
of these; what is sent then depends on the room.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ctxchat.context.filters import diffs, json_text, logs, repeats, selection, terminal_codes
from ctxchat.context.filters.kinds import Kind, kind_of
from ctxchat.context.filters.lines import Lines, amount, clipped, mark
from ctxchat.context.filters.relevance import Order, Term, order_of, relevance, terms
from ctxchat.context.filters.tally import Count, Tally
from ctxchat.context.filters.units import Units, cut
from ctxchat.domain.receipt import FilterStep

BROUGHT_BACK = "folded lines named by the question"

_MOST_BROUGHT_BACK = 40
_LONGEST_BROUGHT_BACK = 500
_SHARE_BROUGHT_BACK = 0.25
_ATTEMPTS = 8
_LEAST = "[…]"


@dataclass(frozen=True, slots=True)
class FilteredText:
    """What is sent of a text, and the rules that changed it: each `before` is the former's `after`.
    Tokens of texts past a million characters are estimated from parts of them."""

    text: str
    steps: tuple[FilterStep, ...]


@dataclass(frozen=True, slots=True)
class Folded:
    """A text after the rules that do not look at the question. `source` are its lines before any were
    folded away, `versions` what each rule that changed it made of it, the text itself first."""

    kind: Kind
    source: Lines
    lines: Lines
    versions: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        return self.versions[-1][1]


def filtered(text: str, question: str, room_tokens: int, count: Count) -> FilteredText:
    """What is sent of a text that is over its share: no more than `room_tokens`, if they hold a mark."""
    folded = fold(text)
    versions = list(folded.versions)
    tally = Tally(count)
    tokens, _ = tally(folded.text)
    looked_for = terms(question)
    order = order_of(question)
    back = _brought_back(folded, looked_for, order)
    if tokens <= room_tokens and tally.exact(folded.text) <= room_tokens:
        addition = _written_back(folded, back, len(folded.text) / max(1, tokens) * room_tokens)
        if addition and tally.exact(folded.text + addition) <= room_tokens:
            versions.append((BROUGHT_BACK, folded.text + addition))
    else:
        ratio = max(1.0, len(folded.text) / max(1, tokens))
        lines = _merged(folded, back[:_MOST_BROUGHT_BACK])
        selected = _fitted(lines, folded.kind, looked_for, order, room_tokens, ratio, tally)
        versions.append((selection.RULE, selected))
    return FilteredText(versions[-1][1], tally.steps(versions))


def fold(text: str) -> Folded:
    """Applies the rules that suit the kind of a text."""
    versions = [("", text)]

    def changed(rule: str, result: str) -> None:
        if result != versions[-1][1]:
            versions.append((rule, result))

    changed(terminal_codes.RULE, terminal_codes.without_terminal_codes(text))
    texts = versions[-1][1].split("\n")
    kind = kind_of(versions[-1][1], texts)
    compact = _compact_json(kind, versions[-1][1], texts)
    if compact is not None:
        changed(json_text.RULE, compact.text)
        return Folded(kind, compact, compact, tuple(versions))
    kind = Kind.LINES if kind in (Kind.JSON, Kind.JSON_LINES) else kind
    source = lines = Lines.of(texts) if kind == Kind.TABLE else repeats.without_repeats(texts)
    changed(repeats.RULE, lines.text)
    if kind == Kind.LOG:
        lines = logs.folded(source.renumbered())
        changed(logs.RULE, lines.text)
    elif kind == Kind.DIFF:
        lines = diffs.trimmed(source.renumbered())
        changed(diffs.RULE, lines.text)
    else:
        lines = source.renumbered()
    return Folded(kind, source, lines, tuple(versions))


def _compact_json(kind: Kind, text: str, texts: list[str]) -> Lines | None:
    if kind == Kind.JSON_LINES:
        return json_text.compact_json_lines(texts)
    return json_text.compact_json(text) if kind == Kind.JSON else None


def _brought_back(folded: Folded, looked_for: list[Term], order: Order) -> list[int]:
    """The places in the source of lines folded away that hold rare words of the question, best first."""
    if len(folded.lines.texts) >= len(folded.source.texts) and folded.kind not in (Kind.LOG, Kind.DIFF):
        return []
    found = relevance([text + "\n" for text in folded.source.texts], looked_for, order=order)
    seen = {at for at, shown in zip(folded.lines.origin, folded.lines.shown, strict=True) if shown}
    return sorted(found.rare - seen, key=lambda index: (-found.scores[index], index))


def _written_back(folded: Folded, back: list[int], room: float) -> str:
    """The lines that are brought back, in their order, up to a quarter of the room in characters."""
    left = room * _SHARE_BROUGHT_BACK
    lines: dict[int, str] = {}
    for index in back[:_MOST_BROUGHT_BACK]:
        line = clipped(folded.source.texts[index], _LONGEST_BROUGHT_BACK)
        if len(line) <= left:
            lines[index] = line
            left -= len(line)
    if not lines:
        return ""
    more = f" ({len(back) - len(lines):,} more are not shown)" if len(back) > len(lines) else ""
    words = f"of the lines left out above, {amount(len(lines), 'line')} with words of the question{more}:"
    return "\n".join(("", mark(words), *(lines[index] for index in sorted(lines)), ""))


def _merged(folded: Folded, back: list[int]) -> Lines:
    """The folded lines with those brought back in their places; a mark they come from still counts them."""
    lines, result = folded.lines, Lines()
    waiting = sorted(back, reverse=True)
    for index, origin in enumerate(lines.origin):
        while waiting and waiting[-1] < origin:
            place = waiting.pop()
            result.add(folded.source.texts[place], place, 0, 1)
        result.add(lines.texts[index], origin, lines.stands[index], lines.shown[index])
    for place in reversed(waiting):
        result.add(folded.source.texts[place], place, 0, 1)
    return result


def _fitted(
    lines: Lines, kind: Kind, looked_for: list[Term], order: Order, room: int, ratio: float, tally: Tally
) -> str:
    """The selection that comes near the room and is not over it. `ratio` is characters a token, a
    guess that is corrected by what each attempt counts."""
    units = cut(lines, kind, max(80, int(room * ratio / 8)))
    found = relevance(units.texts, looked_for, units.records, order)
    worth = selection.priorities(units, kind, found)
    best = ""
    for attempt in _attempts(units, worth, room, ratio, tally):
        best = attempt if len(attempt) > len(best) else best
    if best:
        return best
    nothing = selection.nothing_written(units)
    return nothing if tally.exact(nothing) <= room else _LEAST


def _attempts(units: Units, worth: list[float], room: int, ratio: float, tally: Tally) -> Iterator[str]:
    """Selections that fit, until one comes near the room."""
    characters = room * ratio * 0.9
    for _ in range(_ATTEMPTS):
        kept = selection.chosen(units, worth, int(characters))
        if not kept:
            return
        text = selection.written(units, kept)
        tokens = tally.exact(text)
        if tokens <= room:
            yield text
        if room * 0.9 <= tokens <= room:
            return
        characters *= min(2.0, max(0.2, room * 0.96 / tokens))
