"""What llama.cpp would not survive, or never end with, looked for before it is asked.

It looks for left recursion too, but sees through one empty rule only, takes exponential time where
rules share others, and grows a stack without end over what it misses.
"""

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from itertools import cycle

from ctxchat.domain.errors import UsageError
from ctxchat.engine.grammar.rules import ROOT, Rules, Sequence

MAX_DEPTH = 1000
MAX_STEPS = 1_000_000


def check_rules(rules: Rules) -> None:
    """Raises UsageError for rules that are missing, or refer to themselves before a character."""
    if ROOT not in rules:
        raise UsageError(f"the grammar has no rule {ROOT}: that is where an answer begins")
    for name, alternatives in rules.items():
        for symbol in (symbol for alternative in alternatives for symbol in alternative):
            if isinstance(symbol, str) and symbol not in rules:
                raise UsageError(f"the grammar names a rule that is not there: {symbol} (in {_told(name)})")
    _check_beginnings(rules)


def shortest_texts(rules: Rules) -> dict[str, str]:
    """The shortest text of each rule. Raises UsageError where the root has none: it never ends."""
    shortest: dict[str, str] = {}
    down = list(rules.items())
    for order in cycle((down, down[::-1])):
        changed = False
        for name, alternatives in order:
            found = [t for t in (text_of(a, shortest) for a in alternatives) if t is not None]
            best = min(found, key=len, default=None)
            if best is not None and (name not in shortest or len(best) < len(shortest[name])):
                shortest[name], changed = best, True
        if not changed:
            break
    if ROOT not in shortest:
        raise UsageError("the grammar allows no answer that ends")
    return shortest


def text_of(sequence: Sequence, shortest: dict[str, str]) -> str | None:
    """The shortest text of a sequence, None where none is known."""
    parts: list[str] = []
    for symbol in sequence:
        part = shortest.get(symbol) if isinstance(symbol, str) else symbol.one()
        if part is None:
            return None
        parts.append(part)
    return "".join(parts)


def _nullable(rules: Rules) -> set[str]:
    """Rules that may stand for nothing."""
    empty: set[str] = set()
    down = list(rules.items())
    for order in cycle((down, down[::-1])):
        known = len(empty)
        for name, alternatives in order:
            if any(all(symbol in empty for symbol in alternative) for alternative in alternatives):
                empty.add(name)
        if len(empty) == known:
            return empty
    raise AssertionError("a cycle of two orders has no end")


def _check_beginnings(rules: Rules) -> None:
    """llama.cpp walks every way from a rule to its first characters, calling itself at each step."""
    empty = _nullable(rules)
    left = {name: list(_beginnings(alternatives, empty)) for name, alternatives in rules.items()}
    try:
        order = list(TopologicalSorter(left).static_order())
    except CycleError as error:
        circle = min(error.args[1], key=lambda name: ("_" in name, name))
        raise UsageError(
            f"the grammar's rule {_told(circle)} refers to itself before it has read a character"
            " (or repeats what may be empty)"
        ) from error
    steps: dict[str, int] = {}
    depths: dict[str, int] = {}
    for name in order:
        steps[name] = 1 + sum(steps[each] for each in left[name])
        depths[name] = 1 + max((depths[each] for each in left[name]), default=0)
    if sum(steps.values()) > MAX_STEPS or max(depths.values()) > MAX_DEPTH:
        raise UsageError(
            "the grammar's rules refer to each other in too many ways before a character is read"
        )


def _beginnings(alternatives: Iterable[Sequence], empty: set[str]) -> Iterable[str]:
    for alternative in alternatives:
        for symbol in alternative:
            if not isinstance(symbol, str):
                break
            yield symbol
            if symbol not in empty:
                break


def _told(name: str) -> str:
    """The name a person gave, of a rule or of the one it is a part of."""
    return name.partition("_")[0]
