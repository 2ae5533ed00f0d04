"""What kind of text it is, from a sample of its lines."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

from ctxchat.context.filters.templates import Templates, signatures


class Kind(StrEnum):
    LOG = "log"
    DIFF = "diff"
    COMMITS = "commits"
    STANZAS = "stanzas"
    JSON = "JSON"
    JSON_LINES = "JSON lines"
    TABLE = "table"
    OUTLINE = "outline"
    PROSE = "prose"
    LINES = "lines"


SAMPLE = 300

_DIFF = re.compile(r"diff --git |@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@")
COMMIT = re.compile(r"commit [0-9a-f]{7,64}\b")
STAMPED = re.compile(
    r"[\[(<\s]{0,3}(?:\d{4}[-/]\d\d[-/]\d\d|\d\d:\d\d:\d\d|[A-Z][a-z]{2} +\d{1,2} \d\d:|\d+\.\d{3,}\])"
    r"|.{0,60}?[\[\s:](?:DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|TRACE)\b"
    r"|[\w.:]+ \S+ \S+ \[\d\d/[A-Z][a-z]{2}/"
)
_CODE = re.compile(
    r".*[{};]\s*$|\s*(?:def|class|import|from|func|fn|return|public|private|static|const|let|var|package"
    r"|struct|impl|elif|else:|try:|async|end)\b|\s*(?:#include|@\w|//|/\*|\*/)|\s*[\w.\[\]'\"]+ = \S"
    r"|[ \t]{2,}.*[(\[,:]$|\s*[)\]}]+[,;:]?$"
)
_SENTENCES = re.compile(r"(?=.*[.,!?])(?:[^\s\d]+\s+){8}\D*$")
_KEYED = re.compile(r"\s*(?:- )?[\w.\"'-]+:(?: \S.*)?$")
_KEY = re.compile(r"[A-Za-z][\w-]*: ?(?=\S)")
_FEWEST_STANZAS = 4
_NAME_OF_COLUMN = re.compile(r"[^\d\s][^\n]{0,59}$|$")
_MOST_LIKE_IT = 2 / 3


def kind_of(text: str, texts: list[str]) -> Kind:
    """The kind of a text, which comes with its lines."""
    sample = _sample(texts)
    if not sample:
        return Kind.LINES
    if text.lstrip()[:1] in ("{", "["):
        found = _json_kind(text, sample)
        if found:
            return found
    if sum(bool(_DIFF.match(line)) for line in sample) * 100 >= len(sample) and _has_changes(texts):
        return Kind.DIFF
    if separator_of(texts):
        return Kind.TABLE
    return _kind_of_records(sample, texts) or _kind_of_lines(sample)


def _kind_of_records(sample: list[str], texts: list[str]) -> Kind | None:
    if sum(bool(COMMIT.match(line)) for line in sample) * 40 >= len(sample):
        return Kind.COMMITS
    return Kind.STANZAS if stanza_key(texts) else None


def separator_of(texts: list[str]) -> str | None:
    """What parts the columns where the first line names them and the others have as many."""
    sample = [text for text in texts[:SAMPLE] if text.strip()]
    if len(sample) < 3:
        return None
    for separator in ("\t", ",", ";", "|"):
        if separator not in sample[0]:
            continue
        try:
            rows = list(csv.reader(sample, delimiter=separator))
        except csv.Error:
            continue
        names = [name.strip() for name in rows[0]]
        named = all(map(_NAME_OF_COLUMN.match, names)) and len(set(names)) == len(names)
        if named and sum(len(row) == len(names) for row in rows) * 20 >= len(rows) * 19:
            return separator
    return None


def stanza_key(texts: Sequence[str]) -> str:
    """What each paragraph of keys and values begins with, such as `Package: `; nothing for other texts."""
    sample = texts[: 10 * SAMPLE]
    starts = [here for before, here in pairwise(("", *sample)) if here.strip() and not before.strip()]
    keys = Counter(map(_key, starts))
    key, times = keys.most_common(1)[0] if keys else ("", 0)
    return key if key and times >= _FEWEST_STANZAS and times * 4 >= len(starts) * 3 else ""


def _key(text: str) -> str:
    found = _KEY.match(text)
    return found.group() if found else ""


def _sample(texts: list[str]) -> list[str]:
    middle = max(SAMPLE, len(texts) // 2)
    near = texts[:SAMPLE] + texts[middle : middle + SAMPLE]
    return [text[:2000] for text in near if text.strip()]


def _json_kind(text: str, sample: list[str]) -> Kind | None:
    """JSON by its first and last character, one value a line where each line has them."""
    ends = {"{": "}", "[": "]"}
    if len(sample) > 1 and all(ends.get(line[0]) == line.rstrip()[-1:] for line in sample[1:-1] or sample):
        return Kind.JSON_LINES
    stripped = text.strip()
    return Kind.JSON if ends[stripped[0]] == stripped[-1] else None


def _has_changes(texts: list[str]) -> bool:
    hunks = (index for index, text in enumerate(texts) if text.startswith("@@ -"))
    first = next(hunks, None)
    return first is not None and any(text[:1] in ("+", "-") for text in texts[first : first + 200])


def _kind_of_lines(sample: list[str]) -> Kind:
    def share(pattern: re.Pattern[str]) -> float:
        return sum(bool(pattern.match(line)) for line in sample) / len(sample)

    if share(STAMPED) >= 0.4:
        return Kind.LOG
    if share(_CODE) >= 0.35 or share(_KEYED) >= _MOST_LIKE_IT:
        return Kind.OUTLINE
    if share(_SENTENCES) >= 0.6:
        return Kind.PROSE
    if _distinct(sample) <= 0.45:
        return Kind.LOG
    long = sum(len(line.split()) >= 8 for line in sample)
    return Kind.PROSE if long * 2 >= len(sample) else Kind.LINES


def _distinct(sample: list[str]) -> float:
    """How many of the lines say something that no other says, as a share."""
    templates = Templates().of(sample, signatures("\n".join(sample)))
    return len(set(templates)) / len(sample) if len(sample) >= 20 else 1.0
