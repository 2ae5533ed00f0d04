"""What a prompt would cost under other budgets and cache types, from the tokens it was counted in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from ctxchat.domain.conversation import Section
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.prompt import OVER_BUDGET, Dropped, Piece, Prompt


@dataclass(frozen=True, slots=True)
class Alternative:
    """A prompt within `budget` tokens. `turns` past turns stand in it word for word, the newest;
    the others are in `dropped`, one for each. `notes`, `total` and `evaluated` are tokens, `bytes`
    those of its cells with keys of `type_k`, and `prefill` seconds, None where they are not known.

    `total` is over `budget` where even the question alone does not fit.
    """

    budget: int
    type_k: str
    turns: int
    notes: int
    total: int
    evaluated: int
    bytes: int
    prefill: float | None = None
    dropped: tuple[Dropped, ...] = ()


def alternatives(
    prompt: Prompt,
    reused: int,
    type_k: str,
    cell_bytes: Mapping[str, int],
    curves: Mapping[str, CostCurve | None] | None = None,
) -> tuple[Alternative, ...]:
    """The prompt under the whole, half and a quarter of what may be used, with keys of each type of
    `cell_bytes`, and what they cost by the curve of each type. `reused` tokens of it are in cells now,
    whose keys are of `type_k`."""
    known = curves or {}
    budgets = dict.fromkeys(max(prompt.usable // part, 1) for part in (1, 2, 4))
    return tuple(
        _costed(_within(prompt, budget, reused if kind == type_k else 0, kind, size), known.get(kind))
        for budget in budgets
        for kind, size in cell_bytes.items()
    )


def _costed(choice: Alternative, curve: CostCurve | None) -> Alternative:
    if curve is None:
        return choice
    return replace(choice, prefill=curve.prefill(choice.evaluated, choice.total - choice.evaluated))


def _within(prompt: Prompt, budget: int, reused: int, type_k: str, size: int) -> Alternative:
    """The oldest turns are left out until the rest fits, or nothing is left to leave out.

    From the first word of the first turn to that of the first that stays: what the template puts
    before a turn is the same for each, so what stays is whole.
    """
    begins = _beginnings(prompt)
    cut = next((at for at in begins if prompt.total - (at - begins[0]) <= budget), begins[-1])
    removed = cut - begins[0]
    total = prompt.total - removed
    held = min(reused, begins[0]) if removed else reused
    first = prompt.summarized_turns + 1
    dropped = tuple(_dropped(begins[: begins.index(cut) + 1], first))
    return Alternative(
        budget=budget,
        type_k=type_k,
        turns=len(begins) - 1 - len(dropped),
        notes=_tokens(prompt, Section.NOTES, begins[0], cut),
        total=total,
        evaluated=total - held,
        bytes=total * size,
        dropped=dropped,
    )


def _beginnings(prompt: Prompt) -> list[int]:
    """The token each past turn begins at, and last that of the question."""
    begins: dict[int, int] = {}
    for at, piece in _placed(prompt):
        if piece.turn is not None:
            begins.setdefault(piece.turn, at)
    return list(begins.values()) or [prompt.total]


def _dropped(begins: list[int], first: int) -> Iterator[Dropped]:
    """Turns that lie between `begins`, the first of them with the number `first`."""
    for number, (begin, end) in enumerate(pairwise(begins), start=first):
        yield Dropped(Section.HISTORY, f"turn {number}", end - begin, OVER_BUDGET)


def _tokens(prompt: Prompt, section: Section, left_out: int, until: int) -> int:
    """Tokens of a section that stand outside what is left out."""
    return sum(
        len(piece.ids)
        for at, piece in _placed(prompt)
        if piece.section is section and not left_out <= at < until
    )


def _placed(prompt: Prompt) -> Iterator[tuple[int, Piece]]:
    """Each piece behind the number of tokens before it."""
    at = 0
    for piece in prompt.pieces:
        yield at, piece
        at += len(piece.ids)
