"""What sending a draft would cost, as front ends show it."""

from collections.abc import Mapping
from dataclasses import dataclass

from ctxchat.domain.conversation import Section
from ctxchat.domain.receipt import Predicted


@dataclass(frozen=True, slots=True)
class Draft:
    """What sending a draft would cost: `tokens` of its own, of `total` in the prompt, which may have
    `usable` of the `window`, where `reserve` is kept for the answer. `reused` of them need not be read,
    those on disk included. `attached` are the tokens of each attached text, in their order."""

    tokens: int
    total: int
    sections: Mapping[Section, int]
    window: int
    reserve: int
    usable: int
    reused: int
    evaluated: int
    predicted: Predicted
    fits: bool
    exact: bool
    attached: tuple[int, ...] = ()
