"""Rows that hold a word hardly any other holds, in a table whose words are few."""

import re
from collections import Counter
from collections.abc import Sequence

_NO_DIGITS = dict.fromkeys(map(ord, "0123456789"))
_WORD = re.compile(r"[^\W\d_]{2,}")
_FEW = 3
_ALIKE = 4
_UNUSUAL = 50


def odd(rows: Sequence[str]) -> list[int]:
    """The places of rows with a word that three rows hold at most. None where rows in which all but
    digits is equal are rare, or where the odd ones are more than one in fifty."""
    plain = [row.translate(_NO_DIGITS) for row in rows]
    counts = Counter(plain)
    if len(counts) * _ALIKE > len(rows):
        return []
    held: Counter[str] = Counter()
    words = {row: set(_WORD.findall(row)) for row in counts}
    for row, times in counts.items():
        held.update(dict.fromkeys(words[row], times))
    unlike = {row for row, found in words.items() if any(held[word] <= _FEW for word in found)}
    places = [place for place, row in enumerate(plain) if row in unlike]
    return places if len(places) * _UNUSUAL <= len(rows) else []
