"""The clauses of a text that hold a name, a number or the like, word for word."""

import re
from collections.abc import Sequence

from ctxchat.context.fact_patterns import Key, keys_in
from ctxchat.context.sentences import Span, clauses, sentences

WORDS = 12
"""A sentence or a clause of up to so many words is kept whole."""

CHARACTERS = 140
"""And of up to so many characters; around a longer key nothing is kept but the key."""

LONGEST_KEY = 300


def statements(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """The clauses of a text that hold keys, verbatim, each with its keys."""
    spans = list(sentences(text))
    keys = [key for key in keys_in(text) if key.end - key.start <= LONGEST_KEY and "\n" not in key.text]
    found: list[tuple[str, tuple[str, ...]]] = []
    for span, inside in _by_sentence(text, spans, keys):
        for start, end, held in _by_clause(text, span, inside):
            found.append((text[start:end], tuple(dict.fromkeys(key.text for key in held))))
    return found


def _by_sentence(text: str, spans: Sequence[Span], keys: Sequence[Key]) -> list[tuple[Span, list[Key]]]:
    """Keys under the sentence they begin in. A capital letter at a sentence's beginning makes a
    name only of a word that is one elsewhere."""
    inside: list[tuple[Span, list[Key], Key | None]] = []
    names: set[str] = set()
    at = 0
    for span in spans:
        while at < len(keys) and keys[at].start < span[0]:
            at += 1
        first = at
        while at < len(keys) and keys[at].start < span[1]:
            at += 1
        held = list(keys[first:at])
        doubtful = None
        if held and held[0].plain and not any(map(str.isalnum, text[span[0] : held[0].start])):
            doubtful = held.pop(0)
        names |= {word for key in held for word in key.text.split()}
        inside.append((span, held, doubtful))
    return [
        (span, [doubtful, *held] if doubtful and doubtful.text in names else held)
        for span, held, doubtful in inside
    ]


def _by_clause(text: str, sentence: Span, keys: Sequence[Key]) -> list[tuple[int, int, list[Key]]]:
    found: list[tuple[int, int, list[Key]]] = []
    parts = [sentence] if _short(text, sentence) or not keys else clauses(text, sentence)
    for key in keys:
        if found and key.end <= found[-1][1]:
            found[-1][2].append(key)
            continue
        start, end = _around(text, parts, key)
        if found and start < found[-1][1]:
            start = min(key.start, found[-1][1])
        start, end = _bare(text, start, end, key)
        if found and _words(text[start:end]) < 4 and _short(text, (found[-1][0], end)):
            start, _, held = found.pop()
            found.append((start, end, [*held, key]))
        else:
            found.append((start, end, [key]))
    return found


def _around(text: str, parts: Sequence[Span], key: Key) -> Span:
    """The clause of a key, with the one before it where it says little alone."""
    own = [n for n, (start, end) in enumerate(parts) if start < key.end and key.start < end]
    if not own:
        return key.start, key.end
    first, last = own[0], own[-1]
    start, end = min(parts[first][0], key.start), max(parts[last][1], key.end)
    if first and _words(text[start:end]) < 4 and _short(text, (parts[first - 1][0], end)):
        start = parts[first - 1][0]
    return (start, end) if _short(text, (start, end)) else _window(text, (start, end), key)


def _window(text: str, clause: Span, key: Key) -> Span:
    """The key with the words next to it, more before it than behind it."""
    room = max(0, CHARACTERS - (key.end - key.start))
    before = text[max(clause[0], key.start - room // 2) : key.start]
    behind = text[key.end : min(clause[1], key.end + room // 2)]
    whole = key.start - len(before) == clause[0]
    words = [(m.start(), m.end()) for m in re.finditer(r"\S+", before)]
    words = words if whole or len(words) < 2 else words[1:]
    start = key.start - len(before) + words[-min(7, len(words))][0] if words else key.start
    words = [(m.start(), m.end()) for m in re.finditer(r"\S+", behind)]
    words = words if key.end + len(behind) == clause[1] or len(words) < 2 else words[:-1]
    return start, key.end + words[min(4, len(words)) - 1][1] if words else key.end


def _bare(text: str, start: int, end: int, key: Key) -> Span:
    """Without the marks and the space at its ends that belong to no key."""
    while start < key.start and not (text[start].isalnum() or text[start] in "\"'“‘`([{<*¿"):
        start += 1
    while end > key.end and (text[end - 1].isspace() or text[end - 1] in ".,;:!…。，；：–—-"):
        end -= 1
    return start, end


def _words(text: str) -> int:
    return len(text.split())


def _short(text: str, span: Span) -> bool:
    start, end = span
    return end - start <= CHARACTERS and _words(text[start:end]) <= WORDS
