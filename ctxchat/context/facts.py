"""What a summary must not lose: names, numbers, dates, paths and the like, kept word for word.

A fact is the clause that holds them, so that it can be found and still means something. Facts are
found by code: a small model's prose may be poor, what stands beside it is not.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ctxchat.context.fact_patterns import COMMON, keys_in, told
from ctxchat.context.statements import statements
from ctxchat.domain.conversation import Message, Role, Section
from ctxchat.domain.summary import SummaryBlock

Count = Callable[[str], int]

SPOKEN_CHARACTERS = 24_000
"""Of a longer message the beginning and the end are read: it is a pasted file, and searched whole."""

DATA_CHARACTERS = 2_000
DATA_FACTS = 4
"""What is read of an attached text, and what is kept of it."""

A_ROUND = 8
"""So many facts of one message stand before the next message's of equal weight are heard."""

WORN = 8
"""A key that more messages than this hold sets no message apart."""

_EXACT = re.compile(r"\d{3}|[/\\_@=()]|[a-z][A-Z]|\d[.:-]\d")
"""Keys that cannot be guessed again: paths, addresses, identifiers, dates, numbers of three digits."""

_REQUEST = re.compile(
    r"(?:please\s|now\s|and\s|so\s|then\s|ok(?:ay)?,?\s)*"
    r"(?:tell|give|show|list|write|explain|describe|name|say|make|find|summari[sz]e|compare|translate|help|try"
    r"|what|how|why|which|when|where|who|whose|is|are|was|were|do|does|did|can|could|would|will|should)\b",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(r"\b(?:I|[Mm]y|[Oo]ur|[Ww]e)\b")


@dataclass(frozen=True, slots=True)
class Fact:
    """`text` stands in its source as it is; `keys` are what it holds. `message` is the id of the
    message it was said in, or of the summary block it was taken from."""

    text: str
    keys: tuple[str, ...]
    by_user: bool
    message: str


def facts_of(messages: Sequence[Message]) -> list[Fact]:
    """The facts of what was said, oldest first, and a few of each attached text. Never those of
    reasoning."""
    facts: list[Fact] = []
    for message in messages:
        by_user = message.role is Role.USER
        for text in _read(message.spoken):
            facts += (Fact(said, keys, by_user, message.id) for said, keys in statements(text))
        for segment in message.segments:
            if segment.section is Section.DATA:
                found = statements(segment.text[:DATA_CHARACTERS])
                facts += (Fact(said, keys, False, message.id) for said, keys in found[:DATA_FACTS])
    return facts


def ranked(facts: Sequence[Fact]) -> list[Fact]:
    """Most worth keeping first: said by the user, told of themselves, exact, said again, not
    common. Of equal ones the older comes first, but no message is heard out before the others."""
    said = _said(facts)
    heard: Counter[str] = Counter()
    order: list[tuple[int, int, int]] = []
    for index, fact in enumerate(facts):
        order.append((-_weight(fact, said), heard[fact.message] // A_ROUND, index))
        heard[fact.message] += 1
    return [facts[index] for *_, index in sorted(order)]


def merged(blocks: Sequence[SummaryBlock]) -> list[Fact]:
    """The facts of blocks as one ranking, those that were left out included.

    Each block has its own ranked, and who said them is no longer known. What somebody told of
    themselves comes first and questions last; among their like, a block's facts take turns with
    the others', more often the more it covers, and of equal right the older comes first.
    """
    order: list[tuple[int, float, Fact]] = []
    for block in blocks:
        places: Counter[int] = Counter()
        for text in (*block.facts, *block.left_out):
            keys = tuple(dict.fromkeys(key.text for key in keys_in(text))) or (text,)
            fact = Fact(text, keys, _FIRST_PERSON.search(text) is not None, block.id)
            rank = _asks(fact) - _personal(fact)
            order.append((rank, places[rank] / block.turns, fact))
            places[rank] += 1
    return [fact for *_, fact in sorted(order, key=lambda entry: entry[:2])]


def chosen(facts: Iterable[Fact], room_tokens: int, count: Count) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that are kept within the room, and those left out, both in their order.

    A fact whose keys are all held by others before it is in neither. Counted as lines of a block.
    """
    kept: list[Fact] = []
    left: list[Fact] = []
    room = room_tokens
    held: set[str] = set()
    for fact in facts:
        keys = _folded(fact)
        if keys <= held:
            continue
        cost = count(f"- {fact.text}\n") if room > 0 else 1
        if cost <= room:
            room -= cost
            held |= keys
            kept.append(fact)
        else:
            left.append(fact)
    while kept and count("\n".join(f"- {fact.text}" for fact in kept)) > room_tokens:
        left.insert(0, kept.pop())
    return tuple(fact.text for fact in kept), _distinct(kept, left)


def _distinct(kept: Sequence[Fact], left: Sequence[Fact]) -> tuple[str, ...]:
    held = {key for fact in kept for key in _folded(fact)}
    texts: list[str] = []
    for fact in left:
        keys = _folded(fact)
        if not keys <= held:
            held |= keys
            texts.append(fact.text)
    return tuple(texts)


def _folded(fact: Fact) -> set[str]:
    return {key.casefold() for key in fact.keys}


def _said(facts: Iterable[Fact]) -> Counter[str]:
    """In how many messages each key was said."""
    pairs = {(key, fact.message) for fact in facts for key in _folded(fact)}
    return Counter(key for key, _ in pairs)


def _weight(fact: Fact, said: Counter[str]) -> int:
    keys = _folded(fact)
    often = [said[key] for key in keys]
    weight = 4 * fact.by_user + 3 * _personal(fact) - 3 * _asks(fact)
    weight += 2 * any(map(_EXACT.search, fact.keys)) + (max(often) > 1) - (min(often) > WORN)
    return weight - all(word in COMMON for key in keys for word in key.split())


def _personal(fact: Fact) -> bool:
    return fact.by_user and (told(fact.text) or _FIRST_PERSON.search(fact.text) is not None)


def _asks(fact: Fact) -> bool:
    asked = fact.text.endswith(("?", "？")) or _REQUEST.match(fact.text) is not None
    return asked and not _personal(fact)


def _read(spoken: str) -> tuple[str, ...]:
    if len(spoken) <= SPOKEN_CHARACTERS:
        return (spoken,)
    half = SPOKEN_CHARACTERS // 2
    return spoken[:half], spoken[-half:]
