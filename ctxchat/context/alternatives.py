"""What a prompt would cost under other choices, from the tokens it was counted in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from ctxchat.domain.conversation import Section
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.prompt import OVER_BUDGET, Dropped, Piece, Prompt
from ctxchat.domain.receipt import Money

NOT_KEPT = "not among those kept"

Restoring = Callable[[int], float]
"""Seconds until the first so many tokens of a prompt are in cells, of those that need not be read."""


def at_hand(_: int) -> float:
    """They are in cells already."""
    return 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """What a prompt may hold: `budget` tokens, with keys of `type_k`; of its past turns the newest
    `turns` word for word, and so many recalled passages, those of older turns going first. None leaves
    them as they are."""

    budget: int
    type_k: str | None
    turns: int | None = None
    passages: int | None = None


@dataclass(frozen=True, slots=True)
class Alternative:
    """A prompt within `budget` tokens. `turns` past turns stand in it word for word, the newest;
    the others are in `dropped`, one for each, and so are passages that are not kept. `notes`, `total` and
    `evaluated` are tokens, `bytes` those of its cells with keys of `type_k`, `prefill` seconds, and `cost`
    that of reading it, None where they are not known.

    `total` is over `budget` where even the question alone does not fit.
    """

    budget: int
    type_k: str | None
    turns: int
    notes: int
    total: int
    evaluated: int
    bytes: int | None
    prefill: float | None = None
    dropped: tuple[Dropped, ...] = ()
    cost: Money | None = None


def alternatives(
    prompt: Prompt,
    reused: int,
    type_k: str | None,
    cell_bytes: Mapping[str | None, int | None],
    curves: Mapping[str | None, CostCurve | None] | None = None,
    restoring: Restoring = at_hand,
) -> tuple[Alternative, ...]:
    """The prompt under the whole, half and a quarter of what may be used, with keys of each type of
    `cell_bytes`, and what they cost by the curve of each type. `reused` tokens of it are in cells whose keys
    are of `type_k`, or come into them as `restoring` says."""
    known = curves or {}
    budgets = dict.fromkeys(max(prompt.usable // part, 1) for part in (1, 2, 4))
    return tuple(
        alternative(
            prompt, Choice(budget, kind), reused if kind == type_k else 0, size, known.get(kind), restoring
        )
        for budget in budgets
        for kind, size in cell_bytes.items()
    )


def alternative(
    prompt: Prompt,
    choice: Choice,
    reused: int,
    size: int | None,
    curve: CostCurve | None = None,
    restoring: Restoring = at_hand,
) -> Alternative:
    """The prompt as one choice would have it, of whose tokens `reused` need not be read with such keys, as
    `restoring` says; each takes `size` bytes. Passages are left out, then the oldest turns until the rest
    fits, or nothing is left to leave out.

    From the first word of the first turn to that of the first that stays: what the template puts
    before a turn is the same for each, so what stays is whole.
    """
    gone = _passages_left_out(prompt, choice.passages)
    kept = replace(prompt, pieces=tuple(p for at, p in enumerate(prompt.pieces) if at not in gone))
    begins = _beginnings(kept)
    at_least = 0 if choice.turns is None else max(0, len(begins) - 1 - choice.turns)
    cut = next((at for at in begins[at_least:] if kept.total - (at - begins[0]) <= choice.budget), begins[-1])
    total = kept.total - (cut - begins[0])
    same = min([reused, *([begins[0]] if cut > begins[0] else []), *_first(prompt, gone)])
    left_out = begins[: begins.index(cut) + 1]
    return Alternative(
        budget=choice.budget,
        type_k=choice.type_k,
        turns=len(begins) - len(left_out),
        notes=_tokens(kept, Section.NOTES, begins[0], cut),
        total=total,
        evaluated=total - same,
        bytes=None if size is None else total * size,
        prefill=None if curve is None else restoring(same) + curve.prefill(total - same, same),
        dropped=(*_turns(left_out, kept.summarized_turns + 1), *_passages(prompt, gone)),
    )


def count_passages(prompt: Prompt) -> int:
    """How many recalled passages stand in a prompt."""
    return sum(piece.section is Section.NOTES for piece in prompt.pieces)


def _passages_left_out(prompt: Prompt, most: int | None) -> dict[int, str | None]:
    """The places of pieces that go when only `most` passages are kept, and behind each that is a passage
    which one it is.

    A passage goes with the label before it, from the last of its message on, because the first label
    holds the beginning of the fence; with the first goes the end of the fence.
    """
    gone: dict[int, str | None] = {}
    excess = 0 if most is None else count_passages(prompt) - most
    number = 0
    for _, placed in groupby(
        enumerate(prompt.pieces), lambda place: place[1].source and place[1].source.message
    ):
        places = [at for at, piece in placed if piece.section is Section.NOTES]
        names = {at: f"passage {number + nth}" for nth, at in enumerate(places, start=1)}
        number += len(places)
        for at in reversed(places[max(0, len(places) - max(0, excess)) :]):
            gone |= {at - 1: None, at: names[at]} | ({places[-1] + 1: None} if at == places[0] else {})
            excess -= 1
    return gone


def _first(prompt: Prompt, gone: Mapping[int, str | None]) -> Iterator[int]:
    """The token that the first piece left out begins at, where any is."""
    if gone:
        yield sum(len(piece.ids) for piece in prompt.pieces[: min(gone)])


def _beginnings(prompt: Prompt) -> list[int]:
    """The token each past turn begins at, and last that of the question."""
    begins: dict[int, int] = {}
    for at, piece in _placed(prompt):
        if piece.turn is not None:
            begins.setdefault(piece.turn, at)
    return list(begins.values()) or [prompt.total]


def _turns(begins: Sequence[int], first: int) -> Iterator[Dropped]:
    """Turns that lie between `begins`, the first of them with the number `first`."""
    for number, (begin, end) in enumerate(pairwise(begins), start=first):
        yield Dropped(Section.HISTORY, f"turn {number}", end - begin, OVER_BUDGET)


def _passages(prompt: Prompt, gone: Mapping[int, str | None]) -> Iterator[Dropped]:
    for at, name in sorted(gone.items()):
        if name is not None:
            yield Dropped(Section.NOTES, name, len(prompt.pieces[at].ids), NOT_KEPT)


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
