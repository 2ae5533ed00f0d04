"""Folds a log: what is said again and again stands once, with a count; what is rare stands as it is."""

import re
from collections import Counter

from ctxchat.context.filters.lines import Lines, amount, clipped, mark
from ctxchat.context.filters.templates import ERROR, LineTemplate, Templates, signatures

RULE = "log lines folded"

FIRST, LAST = 10, 20
BEFORE, AFTER = 2, 3
RARE = 3
LONGEST_TRACE = 40
_VARIANTS = 3
_WORTH_A_MARK = 160
_TEMPLATE_SHOWN = 160

_GOES_ON = re.compile(
    r"\s+\S|Traceback \(most recent|Caused by|\.\.\. \d+ more|[\w.]+(?:Error|Exception)\b|\s*[\^~]+\s*$"
)


def folded(lines: Lines) -> Lines:
    """The log with its first and last lines, an example of each template, rare lines, and what stands
    around the first error of each kind, word for word; the lines between become marks."""
    templates = Templates().of(lines.texts, signatures(lines.text)) if lines.texts else []
    for template in templates:
        template.count += 1
    kept = _kept(lines.texts, templates)
    return _with_marks(lines, templates, kept)


def _kept(texts: list[str], templates: list[LineTemplate]) -> bytearray:
    """One byte a line, 1 where it stays."""
    size = len(texts)
    kept = bytearray(size)
    for index in (*range(min(FIRST, size)), *range(max(0, size - LAST), size)):
        kept[index] = 1
    examples: Counter[LineTemplate] = Counter()
    for index, template in enumerate(templates):
        if template.count <= RARE or examples[template] < min(_VARIANTS, template.variants):
            if template.severity and not examples[template]:
                _keep_around(texts, kept, index, template.severity)
            examples[template] += 1
            kept[index] = 1
    return kept


def _keep_around(texts: list[str], kept: bytearray, index: int, severity: int) -> None:
    """Keeps the lines around the first error of its kind, and all of the trace it stands in."""
    before, after = (BEFORE, AFTER) if severity == ERROR else (1, 1)
    end = index + 1
    while end < len(texts) and end - index < LONGEST_TRACE and _GOES_ON.match(texts[end]):
        end += 1
    for near in range(max(0, index - before), min(len(texts), max(end, index + 1 + after))):
        kept[near] = 1


def _with_marks(lines: Lines, templates: list[LineTemplate], kept: bytearray) -> Lines:
    result = Lines()
    told: set[LineTemplate] = set()
    index = 0
    while index < len(kept):
        end = kept.find(0 if kept[index] else 1, index)
        end = len(kept) if end < 0 else end
        if kept[index] or sum(len(text) + 1 for text in lines.texts[index:end]) <= _WORTH_A_MARK:
            for place in range(index, end):
                result.take(lines, place)
        else:
            stands = sum(lines.stands[index:end])
            result.add(_mark(Counter(templates[index:end]), stands, told), index, stands, 0)
        index = end
    return result


def _mark(templates: Counter[LineTemplate], stands: int, told: set[LineTemplate]) -> str:
    """How many lines were folded; which ones is said where a template is folded for the first time."""
    new = [(template, count) for template, count in templates.most_common() if template not in told]
    told.update(templates)
    if len(templates) == 1:
        (template,) = templates
        like = clipped(template.text, _TEMPLATE_SHOWN) if new else f"{template.text[:24]}…"
        return mark(f"{amount(stands, 'line')} like this: {like}")
    kinds = f"{amount(stands, 'line')} of {len(templates)} kinds seen above"
    shown = "; ".join(f"{count:,} × {clipped(template.text, 80)}" for template, count in new[:3])
    return mark(f"{kinds}: {shown}" if shown and stands > 20 else kinds)
