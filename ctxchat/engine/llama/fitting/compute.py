"""What intermediate results take: presumed, and told by llama.cpp, which does all but allocate."""

from collections.abc import Callable, Mapping, Sequence

from ctxchat.engine.gguf.checks import per_layer
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.llama.cells import SEQUENCES
from ctxchat.engine.llama.context import LlamaContext
from ctxchat.engine.llama.fitting.placement import Bytes
from ctxchat.engine.llama.options import EngineOptions, ResolvedOptions
from ctxchat.engine.llama.weights import LlamaWeights

FLOOR = 64 << 20
NUMBER = 4

Resolve = Callable[[EngineOptions], ResolvedOptions]


def at_most(header: GgufHeader, resolved: ResolvedOptions, devices: int, copied: int) -> Bytes:
    """More than intermediate results take on any device: twice what attention and the widest layers hold of
    the tokens that are computed at a time, and what is `copied` there for one layer."""
    heads = max(per_layer(header, "attention.head_count") or (0,), default=0)
    feed_forward = max(per_layer(header, "feed_forward_length") or (0,), default=0)
    width = header.count("embedding_length") or 0
    experts = max(per_layer(header, "expert_used_count") or (0,), default=0)
    scores = resolved.window * (2 if resolved.flash_attn else 2 + heads)
    wide = 10 * width + 4 * max(feed_forward, width) * max(experts, 1)
    logits = 3 * SEQUENCES * vocabulary_size(header)
    most = FLOOR + 2 * NUMBER * (resolved.ubatch_size * (scores + wide) + logits) + copied
    return Bytes((most if resolved.offloaded else 0,) * devices, most)


def vocabulary_size(header: GgufHeader) -> int:
    tokens = header.metadata.get("tokenizer.ggml.tokens")
    return len(tokens) if hasattr(tokens, "__len__") else 0


def told(header: GgufHeader, options: EngineOptions, resolve: Resolve, devices: Sequence[str]) -> Bytes:
    """What llama.cpp would allocate beside weights and cells in a context of the whole window. Raises
    ModelError."""
    resolved = resolve(options)
    weights = LlamaWeights(header, options, resolved, lambda _: True, vocabulary_only=False, dry=True)
    context = LlamaContext(weights, options, resolved, resolved.window)
    buffers = context.buffers
    context.close()
    on_devices = tuple(lying_on(device, buffers) for device in devices)
    return Bytes(on_devices, sum(buffers.values()) - sum(on_devices))


def lying_on(device: str, buffers: Mapping[str, int]) -> int:
    """Bytes of buffers that lie on a device: they are named like it, or begin with its name."""
    return sum(size for name, size in buffers.items() if name == device or name.startswith(f"{device}_"))
