"""A grammar behind reasoning: until its closing tag anything may be written."""

import re

from ctxchat.domain.model import ReasoningTags
from ctxchat.engine.grammar.rule_book import either, literal
from ctxchat.engine.grammar.rules import ROOT

_SPACE = "[ \\t\\r\\n]"
_ROOT = re.compile(rf'"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|#[^\n]*|(?<![\w-]){ROOT}(?![\w-])')
"""The name of the root; literals, classes and comments are found so that it is not seen in them."""


def behind_reasoning(grammar: str, tags: ReasoningTags, *, opened: bool) -> tuple[str, str]:
    """The grammar with rules for what stands before the answer, and the name of the first of them.

    Reasoning may come first, or has been `opened` by the prompt already.
    """
    base = "reasoning"
    while base in grammar:
        base += "-x"
    closing = tags.closing
    rules = [_state(base, closing, place) for place in range(len(closing))]
    rules.append(f"{base}-end ::= {_SPACE}{{0,4}} {ROOT}")
    opening = f"{_SPACE}{{0,4}} {literal(tags.opening)} {base}-0"
    begin = f"{base}-0" if opened else f"{base}-open"
    ways = [ROOT, opening]
    if tags.direct:
        ways.append(f"{_SPACE}{{0,4}} {literal(tags.direct)} {base}-end")
    rules.append(f"{base}-open ::= {' | '.join(ways)}")
    return "\n".join((grammar, *rules)), begin


def rooted(grammar: str, begin: str) -> str:
    """The grammar with `begin` as its first rule, for whoever always begins with the root."""
    name = "answer"
    while name in grammar:
        name += "-x"
    renamed = _ROOT.sub(lambda found: name if found[0] == ROOT else found[0], grammar)
    return f"{ROOT} ::= {begin}\n{renamed}"


def _state(base: str, closing: str, place: int) -> str:
    """What may follow once the first `place` characters of the closing tag were written."""
    ways = []
    letters = sorted(set(closing))
    for letter in letters:
        reached = _reached(closing, closing[:place] + letter)
        ways.append(f"{literal(letter)} {base}-{'end' if reached == len(closing) else reached}")
    others = "".join(f"\\U{ord(letter):08X}" for letter in letters)
    return f"{base}-{place} ::= {either([*ways, f'[^{others}] {base}-0'])}"


def _reached(closing: str, text: str) -> int:
    """How much of the closing tag a text ends with."""
    return next(n for n in range(min(len(text), len(closing)), -1, -1) if text.endswith(closing[:n]))
