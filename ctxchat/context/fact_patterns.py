"""Where names, numbers, dates, paths, identifiers and the like stand in a text.

One scanner reads a text once, the most particular pattern first. Its first alternative steps over
plain words, which most text is; every quantifier is bounded, so that no text makes it slow.
"""

import re
from dataclasses import dataclass

COMMON = frozenset(
    """
    a about above after again all also although always am an and another any anything are as ask
    asked at back be because been before being below between both but by can cannot could did do
    does doing done down during each either else even ever every few first for found from further
    get give go going good got great had has have having he hello help her here hers hey hi him his
    how however i if in instead into is it its just know last later least less let like many may
    maybe me might mine more most much must my name never new next no nor not note nothing now
    number of off ok okay on once one only onto or other our ours out over own perhaps please rather
    said same say see shall she should since so some something sorry still such sure take tell than
    thank thanks that the their them then there therefore these they thing think this those though
    through thus to too under until up upon us use used using very want was way we well were what
    when where whether which while who whom whose why will with within without would write yes yet
    you your yours i'm i've i'll i'd it's that's what's let's don't can't won't you're here's
    there's monday tuesday wednesday thursday friday saturday sunday january february march april
    june july august september october november december user assistant
    """.split()  # noqa: SIM905 — a page of quotes is not clearer
)

_UPPER = "A-ZÀ-ÖØ-ÞĀĆČĎĐĒĘĚĞĪİĽŁŃŇŌŐŒŘŚŞŠŤŪŮŰŹŻŽΑ-ΩА-ЯЁ"
_MONTH = (
    "(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    "|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
_WEEKDAY = "(?:(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?)"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_YEAR = r"(?:,?[ ]\d{4})?"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:[ ]?[ap]\.?m\b\.?)?"
_AMOUNT = r"(?:\d{1,3}(?:,\d{3}){1,6}|\d{1,18})(?:\.\d{1,12}|,\d{1,2}(?!\d))?"
_FILE = r"[\w.@%+~=-]{1,120}"
_NAME = rf"[{_UPPER}][^\W_]{{0,40}}(?:['’.&-][^\W_]{{1,40}}){{0,3}}"

_PATTERNS = {
    "plain": r"(?:[a-z]{1,40}(?:[,;!?]?\s{1,9}|\.\s{1,9}|[,;.!?]?$)){1,60}",
    "quoted": r'"[^"\n]{2,80}"|“[^”\n]{2,80}”|«[^»\n]{2,80}»'
    r"|「[^」\n]{1,60}」|『[^』\n]{1,60}』|《[^》\n]{1,60}》"
    r"|`[^`\n]{1,100}`|(?<!\w)['‘][^'’\n]{2,60}['’](?!\w)",
    "url": r"(?:[a-z][a-z0-9+]{1,10}://|www\.)[^\s<>\"`，。]{2,500}",
    "email": r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}",
    "windows": r"(?:\b[A-Za-z]:\\|\\\\)(?:[^\\/:*?\"<>|\s]{1,80}(?:[ ][^\\/:*?\"<>|\s]{1,80}){0,3}\\){0,20}"
    r"[^\\/:*?\"<>|\s,;]{1,120}",
    "path": r"(?<![\w/<.])(?:~[\w-]{0,30}|\.{1,2})?"
    rf"/(?=[\w.-]{{0,60}}[A-Za-z])(?:{_FILE}/){{0,30}}{_FILE}/?"
    rf"|(?<![\w/])(?:[\w.-]{{1,60}}/){{1,20}}[\w-]{{1,60}}\.[A-Za-z]\w{{0,7}}\b",
    "uuid": r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b",
    "network": r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5}|/\d{1,2})?\b"
    r"|\b(?:[0-9a-fA-F]{1,4}:{1,2}){3,7}[0-9a-fA-F]{1,4}\b"
    r"|\b[a-z][a-z0-9.-]{1,60}:\d{2,5}\b",
    "date": r"\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
    rf"|\b(?:{_WEEKDAY},?[ ](?:the[ ])?)?"
    rf"(?:{_DAY}[ ](?:of[ ])?{_MONTH}\b{_YEAR}|{_MONTH}\.?[ ]{_DAY}\b{_YEAR})"
    rf"|\b{_MONTH}[ ]\d{{4}}\b|\b{_WEEKDAY}[ ](?:the[ ])?{_DAY}\b|\b\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}\b"
    r"|(?<!\d)\d{4}年(?:\d{1,2}月(?:\d{1,2}日)?)?|(?<!\d)\d{1,2}月\d{1,2}日",
    "time": rf"\b{_CLOCK}|\b\d{{1,2}}[ ]?[ap]m\b",
    "money": rf"[$€£¥₹]{{1}}[ ]?{_AMOUNT}(?:[ ]?(?:k|m|bn|million|billion|thousand)\b)?"
    rf"|\b{_AMOUNT}[ ]?(?:[€£¥₹]|(?:USD|EUR|GBP|CHF|JPY|dollars?|euros?|pounds?|cents?)\b)",
    "version": r"\bv\d{1,5}(?:\.\d{1,6}){0,3}(?:[-+][\w.-]{1,40})?\b"
    r"|\b\d{1,5}(?:\.\d{1,6}){2,3}(?:[-+]?[a-z][\w.]{0,30})?\b",
    "ticket": r"\b[A-Z][A-Z0-9]{1,9}-\d{1,8}\b|(?:\b(?:[Ii]ssue|PR|[Bb]ug|[Tt]icket)[ ])?#\d{1,8}\b",
    "call": r"\b[A-Za-z_]\w{0,60}(?:\.\w{1,60}){0,5}\((?!s\))[^()\n]{0,60}\)",
    "flag": r"(?<![\w-])--[a-z][\w-]{1,40}(?:=[^\s,;]{1,60})?",
    "hash": r"\b0x[0-9a-fA-F]{2,64}\b|\b(?=[0-9a-f]{0,63}\d)(?=[0-9a-f]{0,63}[a-f])[0-9a-f]{7,64}\b",
    "code": r"\b(?:_{0,2}[A-Za-z][A-Za-z0-9]{0,40})(?:_{1,2}[A-Za-z0-9]{1,40}){1,10}_{0,2}\b"
    r"|\b[a-z]{1,30}(?:[A-Z][a-z0-9]{0,30}){1,8}\b|\b(?:[A-Z][a-z0-9]{1,30}){2,8}\b"
    r"|\b[A-Za-z_][\w-]{1,60}(?:(?:\.|::)[a-z_][\w-]{1,40}){1,6}\b|\b[A-Za-z]{1,12}-?\d[A-Za-z0-9-]{1,30}\b",
    "phone": r"(?<![\w.])\+\d{1,4}(?:[ -]?\(?\d{1,6}\)?){1,6}\b"
    r"|\b\d{2,5}(?:-\d{2,6}){1,4}\b|\(\d{2,5}\)[ ]?\d{3,5}-\d{3,5}\b",
    "number": rf"(?<![\w.])[+-]?{_AMOUNT}(?![\d_])"
    r"(?:[ ]?[%°‰][CF]?|[ -]?[^\W\d_]{1,20}(?:/[a-z]{1,4})?\b)?",
    "name": rf"\b{_NAME}(?:[ ](?:(?:of|de|van|von|der|den|da|di|del|la|le|al|bin)[ ]){{0,2}}{_NAME}){{0,4}}",
}
_SCANNER = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS.items()))

_TOLD = re.compile(
    r"\b(?:(?:my|our)\s(?:[\w'’-]{1,30}\s){1,4}?(?:is|are|was|were)\s(?:(?:called|named|at|in|a|an|the|on)\s)?"
    r"|(?:called|named|call\sme|name\sis|name['’]s|allergic\sto|(?:i|we)\s(?:live|work|was\sborn)\s(?:in|at|for)"
    r"|married\sto|prefer|i\s(?:hate|love|like)|i(?:['’]m|\sam)(?=\s(?-i:[A-Z]|\d)))\s)"
    r"(?P<told>[^\W_][\w'’-]{0,40})"
    r"|\b(?P<whose>[^\W_][\w'’-]{1,40})\s(?:is|are|was|were)\s(?:my|our)\b",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"([^\W\d_][\w-]{0,30})[ ]$")
_QUOTES = "\"'`“”‘’«»「」『』《》"


@dataclass(frozen=True, slots=True)
class Key:
    """What a fact is about, from `start` to `end` of its text. A `plain` name is one capitalized
    word: at a sentence's beginning that alone says nothing."""

    start: int
    end: int
    text: str
    plain: bool = False


def keys_in(text: str) -> list[Key]:
    """All of them, in the order of the text, none inside another."""
    found: list[Key] = []
    for match in _SCANNER.finditer(text):
        kind = match.lastgroup
        if kind == "number":
            number = _number(text, match)
            if found and found[-1].end > number.start:
                found.pop()
            found.append(number)
        elif kind == "name":
            found += _names(text, match)
        elif kind != "plain":
            found += _exact(text, match)
    return _with_told(text, found)


def told(text: str) -> bool:
    """Whether somebody tells of themselves: what is theirs, what it is called, where they live."""
    return _TOLD.search(text) is not None


def _exact(text: str, match: re.Match[str]) -> list[Key]:
    start, end = match.span()
    while end - 1 > start and text[end - 1] in ".,;:!?'*_":
        end -= 1
    if text[end - 1] == ")" and "(" not in text[start:end]:
        end -= 1
    inner = text[start:end].strip(_QUOTES).strip()
    return [Key(start, end, inner)] if any(map(str.isalnum, inner)) else []


def _number(text: str, match: re.Match[str]) -> Key:
    """A number with its unit, or the word behind it, or the one before it."""
    start, end = match.span()
    unit = re.search(r"[ -]?([^\W\d_]+)$", match.group())
    if unit and unit.group(1).lower() in COMMON:
        end = start + unit.start()
        unit = None
    before = _BEFORE.search(text, max(0, start - 32), start)
    if not unit and text[end - 1].isdigit() and before and before.group(1).lower() not in COMMON:
        start = before.start()
    return Key(start, end, text[start:end])


def _names(text: str, match: re.Match[str]) -> list[Key]:
    """The run without common words at its ends: `The Hague` loses its article, `I` is no name."""
    words = [(m.start(), m.end()) for m in re.finditer(r"[^ ]+", match.group())]
    while words and match.group()[slice(*words[0])].lower() in COMMON:
        words.pop(0)
    while words and match.group()[slice(*words[-1])].lower() in COMMON:
        words.pop()
    if not words:
        return []
    start, end = match.start() + words[0][0], match.start() + words[-1][1]
    if text[start:end].endswith(("'s", "’s")):
        end -= 2
    return [Key(start, end, text[start:end], plain=len(words) == 1)] if end - start > 1 else []


def _with_told(text: str, found: list[Key]) -> list[Key]:
    """What somebody told of themselves is a fact in small letters too."""
    for match in _TOLD.finditer(text):
        start, end = match.span(match.lastgroup or 0)
        inside = next((n for n, key in enumerate(found) if key.start < end and start < key.end), None)
        if inside is None and text[start:end].lower() not in COMMON:
            found.append(Key(start, end, text[start:end]))
        elif inside is not None and found[inside].plain:
            key = found[inside]
            found[inside] = Key(key.start, key.end, key.text)
    return sorted(found, key=lambda key: key.start)
