"""What a prompt costs, and what it would cost otherwise, before its price is paid."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

from ctxchat.context.alternatives import (
    Alternative,
    Choice,
    Restoring,
    alternative,
    alternatives,
    at_hand,
)
from ctxchat.context.attachments import reclaimable, still_attached
from ctxchat.domain.conversation import Message, Omission
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.model import CachePlan
from ctxchat.domain.path_turns import messages_of_turns
from ctxchat.domain.ports import Model
from ctxchat.domain.prices import Prices
from ctxchat.domain.prompt import Piece, Prompt, SegmentKey
from ctxchat.domain.receipt import KvCost, Receipt
from ctxchat.service.reuse import Reuse
from ctxchat.service.served import agreed, expected_kv
from ctxchat.service.turn import Turn

TYPES = ("f16", "q8_0")
"""Types of keys that are compared, beside the one that is set."""


@dataclass(frozen=True, slots=True)
class Costing:
    """All that is needed to say what a prompt would cost otherwise: `reused` of its tokens are in cells
    with keys of `type_k`, or come into them as `restoring` says; a cell takes `cell_bytes` with keys of each
    type, and time by the `curves`. Of cells that a server holds neither type nor size is known; it asks the
    `prices`."""

    prompt: Prompt
    reused: int
    type_k: str | None
    cell_bytes: Mapping[str | None, int | None]
    curves: Mapping[str | None, CostCurve | None]
    restoring: Restoring = at_hand
    prices: Prices | None = None

    def alternatives(self) -> tuple[Alternative, ...]:
        """The prompt within less, with keys of each type."""
        found = alternatives(
            self.prompt, self.reused, self.type_k, self.cell_bytes, self.curves, self.restoring
        )
        return tuple(map(self._priced, found))

    def alternative(self, choice: Choice) -> Alternative:
        """The prompt as one choice would have it."""
        reused = self.reused if choice.type_k == self.type_k else 0
        size, curve = self.cell_bytes[choice.type_k], self.curves.get(choice.type_k)
        return self._priced(alternative(self.prompt, choice, reused, size, curve, self.restoring))

    def _priced(self, choice: Alternative) -> Alternative:
        if self.prices is None:
            return choice
        return replace(choice, cost=self.prices.money(choice.total, choice.total - choice.evaluated))


def costing(receipt: Receipt, model: Model | None, prices: Prices | None = None) -> Costing | None:
    """What the prompt of a receipt is costed from; None without a prompt."""
    if receipt.prompt is None or model is None:
        return None
    cache, costs = model.cache, model.costs
    if cache is None:
        reused = receipt.kv.reused if receipt.kv else 0
        curve = costs.curve() if costs else None
        return Costing(receipt.prompt, reused, None, {None: None}, {None: curve}, prices=prices)
    sizes: dict[str | None, int | None] = {cache.type_k: cache.bytes_per_token}
    for kind in TYPES:
        size = cache.bytes_per_token_with(kind)
        if size is not None:
            sizes.setdefault(kind, size)
    curves = {kind: costs.curve(kind) for kind in sizes} if costs else {}
    kv = receipt.kv
    in_cells = kv.reused - kv.restored if kv else 0
    return Costing(
        receipt.prompt,
        kv.reused if kv else 0,
        cache.type_k,
        sizes,
        curves,
        lambda same: restoring_seconds(model, same - in_cells),
    )


def restoring_seconds(model: Model, tokens: int) -> float:
    """Seconds to bring so many tokens back from disk, 0 where there are none, or it is not known."""
    return (model.costs.restoring(tokens) or 0.0) if model.costs and tokens > 0 else 0.0


def planned_kv(
    model: Model, prompt: Prompt, turn: Turn, read: Sequence[Piece], *, dry_run: bool
) -> KvCost | None:
    """What the prompt costs in cells, before the answer. Where a part of it was read ahead, how it met the
    cells before counts; in a dry run what is on disk counts as it would if it was restored. `read` is what
    the cells were read for last in this conversation."""
    cache = model.cache
    if cache is None:
        return expected_kv(model, prompt)
    plan = turn.ahead or cache.plan(prompt.ids, prompt.reserve)
    reused, restored, agreed = plan.reused, turn.restoration.of(plan.reused), plan.agreed
    if dry_run and (found := min(cache.restorable(prompt.ids), prompt.total - 1)) > reused:
        reused, restored, agreed = found, found - reused, found
    return KvCost(
        cells=prompt.total,
        capacity=plan.capacity,
        reused=reused,
        evaluated=prompt.total - reused,
        bytes_per_token=cache.bytes_per_token,
        type_k=cache.type_k,
        type_v=cache.type_v,
        restored=restored,
        beside=plan.beside,
        miss=turn.restoration.miss
        or reuse_of(model, prompt, turn, replace(plan, reused=reused, agreed=agreed), read).miss,
    )


def read_already(model: Model, turn: Turn) -> int:
    """How many of the tokens to evaluate were read ahead of the rest."""
    if turn.ahead is None or turn.prompt is None or model.cache is None:
        return 0
    return model.cache.plan(turn.prompt.ids, turn.prompt.reserve).reused - turn.ahead.reused


def met_at_server(model: Model, turn: Turn, before: Turn | None) -> Reuse | None:
    """How the prompt of a turn met the one that was sent before it in this conversation; None where this
    process has sent none."""
    if turn.prompt is None or before is None or before.prompt is None:
        return None
    same, held = agreed(turn.prompt, before)
    plan = CachePlan(same, turn.prompt.total - same, capacity=0, agreed=same, held=held)
    return reuse_of(model, turn.prompt, turn, plan, before.prompt.pieces)


def reuse_of(model: Model, prompt: Prompt, turn: Turn, plan: CachePlan, read: Sequence[Piece]) -> Reuse:
    """What the sentence on where reuse ended is made of."""
    conversation, cache = turn.conversation, model.cache
    assert conversation
    sent_keys = {piece.source for piece in prompt.pieces}
    left_out = messages_of_turns(turn.past, conversation.omitted(Omission.TURN))
    attached = {m.id for m in still_attached(turn.past, conversation.reclaimed)}
    return Reuse(
        prompt,
        plan.reused,
        plan.agreed,
        plan.held,
        model.template.behaviour,
        plan.moved,
        read,
        reasoned={key.message for key in _reasoning(turn.past) if key not in sent_keys},
        given_back={m.id for m in turn.past if m.id not in attached and reclaimable(m.segments)},
        by_hand=conversation.omitted(Omission.ATTACHED),
        left_out=left_out,
        closed_up={m.id for former, m in pairwise(turn.past) if former.id in left_out} - left_out,
        unanswered={m.id for m in turn.past if not m.answered},
        setting=partial(cache.kept_apart, conversation.id) if cache else lambda: None,
    )


def _reasoning(messages: Sequence[Message]) -> Iterator[SegmentKey]:
    for message in messages:
        for at, segment in enumerate(message.segments):
            if segment.reasoning:
                yield SegmentKey(message.id, at)
