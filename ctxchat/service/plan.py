"""What a prompt would cost otherwise, before its price is paid."""

from ctxchat.context.alternatives import Alternative, alternatives
from ctxchat.domain.ports import KvCache
from ctxchat.domain.receipt import Receipt

TYPES = ("f16", "q8_0")
"""Types of keys that are compared, beside the one that is set."""


def planned_alternatives(receipt: Receipt, cache: KvCache | None) -> tuple[Alternative, ...]:
    """Alternatives to the prompt of a receipt, none where there is no prompt, or no cells of ours."""
    if receipt.prompt is None or cache is None:
        return ()
    sizes = {cache.type_k: cache.bytes_per_token}
    for kind in TYPES:
        size = cache.bytes_per_token_with(kind)
        if size is not None:
            sizes.setdefault(kind, size)
    reused = receipt.kv.reused if receipt.kv else 0
    return alternatives(receipt.prompt, reused, cache.type_k, sizes)
