"""Where a text stands in a grammar, and the shortest way to its end."""

from functools import lru_cache

from ctxchat.engine.grammar.checks import check_rules, shortest_texts, text_of
from ctxchat.engine.grammar.gbnf import read_rules
from ctxchat.engine.grammar.rules import ROOT, Characters, Rules, Sequence

MAX_PLACES = 256
"""Places at once, beyond which a text is not followed: the grammar is ambiguous without bound."""

MAX_REMEMBERED = 4096


class Place:
    """What is still to come: the rest of a sequence, and behind it the rest of those around it."""

    __slots__ = ("behind", "length", "rest", "text")

    def __init__(self, rest: Sequence, text: str, behind: "Place | None") -> None:
        self.rest = rest
        self.behind = behind
        self.text = text
        self.length: int = len(text) + (behind.length if behind else 0)


Places = frozenset[Place | None]
"""All places a text may be at; None is the end."""


class Grammar:
    """Rules that were read and checked. Places of equal content are one object, so that what is known
    of a step is found again: most characters of a text are in the middle of a string."""

    def __init__(self, text: str, root: str = ROOT) -> None:
        self.text = text
        self.root = root
        rules = read_rules(text)
        check_rules(rules)
        self._shortest = shortest_texts(rules)
        self._rules: Rules = {
            name: tuple(each for each in alternatives if text_of(each, self._shortest) is not None)
            for name, alternatives in rules.items()
        }
        self._places: dict[tuple[Sequence, Place | None], Place] = {}
        self._steps: dict[tuple[Places, str], Places] = {}
        self.begin = self._open([self._place((root,), None)])

    def step(self, places: Places, character: str) -> Places:
        """The places behind one character more; none where it is not allowed."""
        known = self._steps.get((places, character))
        if known is None:
            if len(self._steps) >= MAX_REMEMBERED:
                self._steps.clear()
            known = self._steps[places, character] = self._stepped(places, ord(character))
        return known

    def shortest(self) -> str:
        """The shortest text that satisfies the grammar."""
        return self._shortest[self.root]

    def allows(self, text: str) -> bool:
        """Whether a whole text satisfies the grammar."""
        return Follower(self).after(text).complete

    def _stepped(self, places: Places, code: int) -> Places:
        reached: list[Place | None] = []
        for place in places:
            if place is not None:
                symbol = place.rest[0]
                assert isinstance(symbol, Characters)
                if symbol.hold(code):
                    reached.append(self._place(place.rest[1:], place.behind))
        return self._open(reached)

    def _open(self, reached: list[Place | None]) -> Places:
        """The places at which a character or the end is next, instead of those at which a rule is."""
        seen: set[Place | None] = set()
        opened: set[Place | None] = set()
        while reached and len(opened) <= MAX_PLACES:
            place = reached.pop()
            if place in seen:
                continue
            seen.add(place)
            if place is None or isinstance(place.rest[0], Characters):
                opened.add(place)
            else:
                behind = self._place(place.rest[1:], place.behind)
                reached += [self._place(each, behind) for each in self._rules[place.rest[0]]]
        return frozenset(opened)

    def _place(self, rest: Sequence, behind: Place | None) -> Place | None:
        if not rest:
            return behind
        key = (rest, behind)
        place = self._places.get(key)
        if place is None:
            text = text_of(rest, self._shortest) or ""
            place = self._places[key] = Place(rest, text, behind)
        return place


class Follower:
    """Where an answer stands in a grammar while it is written.

    Of places beyond `MAX_PLACES` it loses sight, so what it says is true, and not all there is.
    """

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._places = grammar.begin

    def after(self, text: str) -> "Follower":
        """Where it would stand behind more text."""
        later = Follower(self._grammar)
        later._places = self._places
        for character in text:
            later._places = self._grammar.step(later._places, character)
        return later

    @property
    def complete(self) -> bool:
        """Whether the answer may end here."""
        return None in self._places

    @property
    def knows(self) -> bool:
        """Whether it still follows."""
        return bool(self._places)

    @property
    def ended(self) -> bool:
        """Whether nothing can follow."""
        return self._places == {None}

    @property
    def distance(self) -> int:
        """Characters of the shortest ending."""
        if self.complete or not self._places:
            return 0
        return min(place.length for place in self._places if place is not None)

    def ending(self) -> str:
        """The shortest text that ends the answer as the grammar allows."""
        if self.complete or not self._places:
            return ""
        nearest = min((p for p in self._places if p is not None), key=lambda place: place.length)
        parts: list[str] = []
        place: Place | None = nearest
        while place is not None:
            parts.append(place.text)
            place = place.behind
        return "".join(parts)


@lru_cache(maxsize=8)
def grammar_of(text: str, root: str = ROOT) -> Grammar:
    """A grammar that was read and checked. Raises UsageError."""
    return Grammar(text, root)
