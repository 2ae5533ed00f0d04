"""Strings as JSON writes them: of a length, in a format, or after a pattern."""

import re
from collections.abc import Iterable, Sequence

# What a pattern means is asked of the parser behind `re`: it has no public name since Python 3.11.
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from ctxchat.domain.errors import UsageError
from ctxchat.engine.grammar.gbnf import MAX_REPETITION
from ctxchat.engine.grammar.rule_book import RuleBook, either, literal

QUOTE = r'"\""'
HEX = "[0-9a-fA-F]"
CHARACTER = (
    r'[^"\\\x00-\x1F\x7F] | "\\" (["\\/bfnrt]'
    rf' | "u" ([0-9a-ce-fA-CE-F] {HEX}{{3}} | [dD] [0-7] {HEX}{{2}}))'
)
MAX_LENGTH = MAX_REPETITION
BLOCK = 50

_DAY = '("0" [1-9] | "1" [0-9] | "2" [0-8])'
_DATE = (
    f'[0-9]{{4}} "-" ("02-" {_DAY} | ("0" [469] | "11") "-" ({_DAY} | "29" | "30")'
    f' | ("0" [13578] | "1" [02]) "-" ({_DAY} | "29" | "3" [01]))'
)
_TIME = (
    '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,6})?'
    ' ("Z" | [+-] ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9])'
)
_BYTE = '("25" [0-5] | "2" [0-4] [0-9] | "1" [0-9] [0-9] | [1-9] [0-9] | [0-9])'
_LABEL = "[a-zA-Z0-9] ([a-zA-Z0-9-]{0,30} [a-zA-Z0-9])?"
_HOST = f'{_LABEL} ("." {_LABEL}){{0,3}} "." [a-z]{{2,10}}'
FORMATS = {
    "date": _DATE,
    "time": _TIME,
    "date-time": f'{_DATE} "T" {_TIME}',
    "uuid": f'{HEX}{{8}} "-" {HEX}{{4}} "-" {HEX}{{4}} "-" {HEX}{{4}} "-" {HEX}{{12}}',
    "ipv4": f'{_BYTE} ("." {_BYTE}){{3}}',
    "hostname": _HOST,
    "email": f'[a-zA-Z0-9] [a-zA-Z0-9_+-]{{0,30}} ("." [a-zA-Z0-9_+-]{{1,30}}){{0,3}} "@" {_HOST}',
    "uri": f'"http" "s"? "://" {_HOST} ("/" [a-zA-Z0-9._~%-]{{0,60}}){{0,8}}',
}

_MAX_CODE = 0x10FFFF
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_CLASSES = {
    sre.CATEGORY_DIGIT: ((48, 57),),
    sre.CATEGORY_WORD: ((48, 57), (65, 90), (95, 95), (97, 122)),
    sre.CATEGORY_SPACE: ((9, 13), (32, 32)),
}
_OPPOSITES = {
    sre.CATEGORY_NOT_DIGIT: sre.CATEGORY_DIGIT,
    sre.CATEGORY_NOT_WORD: sre.CATEGORY_WORD,
    sre.CATEGORY_NOT_SPACE: sre.CATEGORY_SPACE,
}
Ranges = Sequence[tuple[int, int]]


def of_length(book: RuleBook, least: int, most: int | None) -> str:
    """A body for strings of so many characters. Raises UsageError for more than can be asked for."""
    character = book.add("character", CHARACTER)
    if most is not None and most < least:
        raise UsageError("no length is allowed")
    if least > MAX_LENGTH:
        raise UsageError(f"minLength {least:,} is more than {MAX_LENGTH:,}")
    asked = f"{character}{{{least}}} " if least else ""
    if most is None:
        return f"{QUOTE} {asked}{character}* {QUOTE}"
    optional = most - least
    if optional <= MAX_LENGTH:
        return (
            f"{QUOTE} {asked}{character}{{0,{optional}}} {QUOTE}" if optional else f"{QUOTE} {asked}{QUOTE}"
        )
    block = book.add("characters", f"{character}{{{BLOCK}}}")
    blocks = min((optional + 1) // BLOCK - 1, MAX_LENGTH)
    return f"{QUOTE} {asked}{block}{{0,{blocks}}} {character}{{0,{BLOCK - 1}}} {QUOTE}"


def of_pattern(book: RuleBook, pattern: str) -> str:
    """A body for strings that a regular expression matches from their beginning on, up to their end
    where it ends with `$`. Raises UsageError for what a grammar cannot say."""
    try:
        parsed = _parser.parse(pattern, re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(f"the pattern {pattern!r} is not understood: {error}") from error
    if parsed.state.flags & ~re.ASCII:
        raise UsageError(f"the pattern {pattern!r} sets flags, which a JSON schema does not know")
    parts = list(parsed)
    while parts and parts[0] in ((sre.AT, sre.AT_BEGINNING), (sre.AT, sre.AT_BEGINNING_STRING)):
        parts.pop(0)
    ends = bool(parts) and parts[-1] in ((sre.AT, sre.AT_END), (sre.AT, sre.AT_END_STRING))
    body = _Pattern(book, pattern).sequence(parts[:-1] if ends else parts)
    rest = "" if ends else f" {book.add('character', CHARACTER)}*"
    return f"{QUOTE} {body}{rest} {QUOTE}"


class _Pattern:
    """A regular expression on its way into a grammar."""

    def __init__(self, book: RuleBook, pattern: str) -> None:
        self._book = book
        self._pattern = pattern

    def sequence(self, parts: Iterable[tuple[Any, Any]]) -> str:
        return " ".join(self._part(kind, value) for kind, value in parts) or '""'

    def _part(self, kind: Any, value: Any) -> str:
        match kind:
            case sre.LITERAL:
                return literal(_in_json(value))
            case sre.NOT_LITERAL | sre.ANY:
                return _one_of(_outside([(10, 10), (13, 13)] if kind is sre.ANY else [(value, value)]))
            case sre.IN:
                return _one_of(self._ranges(value))
            case sre.BRANCH:
                return f"({either([self.sequence(each) for each in value[1]])})"
            case sre.SUBPATTERN if not (value[1] or value[2]):
                return f"({self.sequence(value[-1])})"
            case sre.MAX_REPEAT | sre.MIN_REPEAT:
                return self._repeated(*value)
            case _:
                raise self._refused(str(kind).lower().replace("_", " "))

    def _repeated(self, least: int, most: Any, parts: Iterable[tuple[Any, Any]]) -> str:
        if least > MAX_REPETITION or (most is not sre.MAXREPEAT and most > MAX_REPETITION):
            raise self._refused(f"more than {MAX_REPETITION:,} repetitions")
        name = self._book.add("pattern", self.sequence(parts))
        return f"{name}{{{least},{'' if most is sre.MAXREPEAT else most}}}"

    def _ranges(self, items: Iterable[tuple[Any, Any]]) -> Ranges:
        found: list[tuple[int, int]] = []
        negated = False
        for kind, value in items:
            match kind:
                case sre.NEGATE:
                    negated = True
                case sre.LITERAL:
                    found.append((value, value))
                case sre.RANGE:
                    found.append(value)
                case sre.CATEGORY if value in _CLASSES:
                    found += _CLASSES[value]
                case sre.CATEGORY if value in _OPPOSITES:
                    found += _outside(_CLASSES[_OPPOSITES[value]])
                case _:
                    raise self._refused(str(kind).lower())
        return _outside(found) if negated else found

    def _refused(self, what: str) -> UsageError:
        return UsageError(f"the pattern {self._pattern!r} cannot be held while an answer is written: {what}")


def _one_of(ranges: Ranges) -> str:
    """One character of some ranges, escaped where JSON wants it."""
    specials = [c for c in map(chr, (*range(32), 34, 92, 127)) if any(a <= ord(c) <= b for a, b in ranges)]
    plain = _outside([*_outside(ranges), (0, 31), (34, 34), (92, 92), (127, 127), (0xD800, 0xDFFF)])
    body = "".join(f"\\U{low:08X}-\\U{high:08X}" for low, high in plain)
    parts = [f"[{body}]"] if body else []
    return f"({either([*parts, *(literal(_in_json(ord(c))) for c in specials)])})"


def _outside(ranges: Ranges) -> list[tuple[int, int]]:
    """All code points but those."""
    gaps: list[tuple[int, int]] = []
    at = 0
    for low, high in sorted(ranges):
        if low > at:
            gaps.append((at, low - 1))
        at = max(at, high + 1)
    return [*gaps, (at, _MAX_CODE)] if at <= _MAX_CODE else gaps


def _in_json(code: int) -> str:
    character = chr(code)
    return _SHORT.get(character) or (f"\\u{code:04x}" if code < 32 or code == 127 else character)
