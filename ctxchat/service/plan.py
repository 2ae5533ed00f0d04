"""What a prompt costs, and what it would cost otherwise, before its price is paid."""

from ctxchat.context.alternatives import Alternative, alternatives
from ctxchat.domain.ports import Model
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import KvCost, Receipt
from ctxchat.service.turn import Turn

TYPES = ("f16", "q8_0")
"""Types of keys that are compared, beside the one that is set."""


def planned_alternatives(receipt: Receipt, model: Model | None) -> tuple[Alternative, ...]:
    """Alternatives to the prompt of a receipt, none where there is no prompt, or no cells of ours."""
    if receipt.prompt is None or model is None or model.cache is None:
        return ()
    cache, costs = model.cache, model.costs
    sizes = {cache.type_k: cache.bytes_per_token}
    for kind in TYPES:
        size = cache.bytes_per_token_with(kind)
        if size is not None:
            sizes.setdefault(kind, size)
    reused = receipt.kv.reused if receipt.kv else 0
    curves = {kind: costs.curve(kind) for kind in sizes} if costs else {}
    return alternatives(receipt.prompt, reused, cache.type_k, sizes, curves)


def planned_kv(model: Model, prompt: Prompt, turn: Turn, *, dry_run: bool) -> KvCost | None:
    """What the prompt costs in cells, before the answer. Where a part of it was read ahead, how it met the
    cells before counts; in a dry run what is on disk counts as it would if it was restored."""
    cache = model.cache
    if cache is None:
        return None
    plan = turn.ahead or cache.plan(prompt.ids, prompt.reserve)
    reused, restored = plan.reused, turn.restoration.of(plan.reused)
    if dry_run and (found := min(cache.restorable(prompt.ids), prompt.total - 1)) > reused:
        reused, restored = found, found - reused
    return KvCost(
        cells=prompt.total,
        capacity=plan.capacity,
        reused=reused,
        evaluated=prompt.total - reused,
        bytes_per_token=cache.bytes_per_token,
        type_k=cache.type_k,
        type_v=cache.type_v,
        restored=restored,
        miss=turn.restoration.miss or plan.miss,
    )
