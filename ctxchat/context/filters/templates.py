"""Which lines say the same but for their numbers, names and times."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from operator import ne
from sys import intern

_MASK = re.compile(
    r"(?P<time>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d{1,2} \d\d:\d\d:\d\d\b"
    r"|\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?\b)"
    r"|(?P<url>\b[a-z][a-z+]{1,9}://[^\s'\"<>]+)"
    r"|(?P<path>(?<![\w.~+-])[\w.~+-]*+/[^\s'\":,;()\[\]<>=|]+)"
    r"|(?P<n>(?<![\w.+~-])(?:[^\W\d]|[.+~-])*+\d[\w.+~-]*+(?::\d[\w.+~-]*+)*+)"
)
_ERROR = re.compile(
    r"\b(?:errors?|err|fail(?:ed|ure|ures|s)?|fatal|exception|traceback|panic(?:ked)?|critical|crit"
    r"|segfault|segmentation fault|abort(?:ed)?|denied|refused|timed out|timeout|killed|oom|cannot"
    r"|unable)\b|(?-i:Error|Exception)\b",
    re.IGNORECASE,
)
_WARNING = re.compile(r"\bwarn(?:ings?)?\b|Warning\b", re.IGNORECASE)
_NO_ERROR = re.compile(r"\b(?:0|no) (?:errors?|failures?|failed)\b|-Werror\S*", re.IGNORECASE)

_IDENTIFIER = re.compile(rb"\b[a-f]*\d[0-9a-f]{6,}\b(?:-[0-9a-f]{4,12}\b)*")
_CANDIDATES = 16
_PUNCTUATION = "'\"()[]{},;:.!?…"
_LONGEST = 400

ERROR, WARNING = 2, 1


def severity(masked: str) -> int:
    """2 for a line that speaks of an error, 1 for one of a warning, else 0."""
    if _ERROR.search(masked) and _ERROR.search(_NO_ERROR.sub("", masked)):
        return ERROR
    return WARNING if _WARNING.search(masked) else 0


def masked(line: str) -> str:
    """A line with `<time>`, `<url>`, `<path>`, and `<n>` for any other word with a digit in it."""
    return _MASK.sub(lambda found: f"<{found.lastgroup}>", line)


def signatures(text: str) -> list[bytes]:
    """The lines of a text without their digits: what is told apart before any pattern is tried. Where
    that leaves many, long identifiers go too, which costs more."""
    encoded = text.encode("utf-8", "surrogatepass")
    found = encoded.translate(None, b"0123456789").split(b"\n")
    if len(set(found)) * 4 <= len(found):
        return found
    return _IDENTIFIER.sub(b"", encoded).translate(None, b"0123456789").split(b"\n")


@dataclass(slots=True, eq=False)
class LineTemplate:
    """Lines that say the same. `variants` counts how many were met that differ in a word."""

    words: list[str]
    severity: int
    variants: int = 1
    count: int = 0

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def widen(self, words: list[str]) -> None:
        """Takes a line of other words in: where they differ, anything may stand."""
        pairs = zip_longest(self.words, words)
        self.words = [mine if mine == other else "<*>" for mine, other in pairs]
        self.variants += 1


def _alike(template: list[str], words: list[str], *, crowded: bool) -> bool:
    if sum(map(ne, template, words)) > (len(words) // 2 or 1):
        return False
    pairs = ((mine, other) for mine, other in zip(template, words, strict=True) if mine != other)
    plain = sum(
        mine.strip(_PUNCTUATION).isalpha() and other.strip(_PUNCTUATION).isalpha() for mine, other in pairs
    )
    return plain <= (len(words) in (2, 3) or crowded)


class Templates:
    """Lines grouped by what they say: first by their signature, which costs little, then by the line
    with its numbers, times and paths masked, then by all words but a few.

    No more than `most` templates and signatures are kept, of the first 400 characters of a line: of
    what is met beyond them, lines of equal length and first word are taken as equal.
    """

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._by_signature: dict[bytes, LineTemplate] = {}
        self._by_mask: dict[str, LineTemplate] = {}
        self._near: dict[tuple[int, str, int], list[LineTemplate]] = {}

    def of(self, lines: Iterable[str], line_signatures: Iterable[bytes]) -> list[LineTemplate]:
        """The template of each line."""
        known = self._by_signature
        return [
            known.get(signature) or self.learn(line, signature)
            for line, signature in zip(lines, line_signatures, strict=True)
        ]

    def known(self, signature: bytes) -> LineTemplate | None:
        return self._by_signature.get(signature)

    def learn(self, line: str, signature: bytes) -> LineTemplate:
        """The template of a line whose signature is new."""
        mask = masked(line[:_LONGEST])
        template = self._by_mask.get(mask)
        if template is None:
            template = self._near_or_new(mask)
            if len(self._by_mask) < self._most:
                self._by_mask[mask] = template
        if len(self._by_signature) >= self._most:
            self._by_signature.clear()
        if len(signature) <= _LONGEST:
            self._by_signature[signature] = template
        return template

    def _near_or_new(self, mask: str) -> LineTemplate:
        words = list(map(intern, mask.split()))
        weight = severity(mask)
        first = next((word for word in words if not word.startswith("<")), "")
        group = (len(words), first, weight)
        full = len(self._by_mask) >= self._most
        if full and group not in self._near:
            group = (0, "", weight)
        near = self._near.setdefault(group, [])
        for template in near:
            if full or _alike(template.words, words, crowded=len(near) == _CANDIDATES):
                template.widen(words)
                return template
        template = LineTemplate(words, weight)
        near.insert(0, template)
        del near[_CANDIDATES:]
        return template
