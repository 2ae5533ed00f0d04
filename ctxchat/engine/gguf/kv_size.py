"""Bytes of KV cache a model needs, from its header alone."""

from ctxchat.domain.errors import UsageError
from ctxchat.engine.gguf.checks import RECURRENT, per_layer
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.gguf.types import CACHE_TYPES, TensorType

HYBRID = frozenset(
    {"jamba", "plamo2", "granitehybrid", "lfm2", "lfm2moe", "nemotron_h", "nemotron_h_moe"}
    | {"kimi-linear", "kimi-k3", "bailingmoe3", "glm5-next"}
)
"""Architectures whose layers without KV heads are recurrent."""

INTERVALS = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4, "qwen4exp": 4, "minimax-01": 8}
"""Architectures whose every n-th layer attends where the file does not say which."""

GEMMA3N_OWN_LAYERS = 20


def bytes_per_token(header: GgufHeader, type_k: str, type_v: str, *, flash_attention: bool = False) -> int:
    """Bytes one cell takes over all layers. Raises UsageError where a type cannot be used."""
    return sum(bytes_by_layer(header, type_k, type_v, flash_attention=flash_attention))


def bytes_by_layer(
    header: GgufHeader, type_k: str, type_v: str, *, flash_attention: bool = False
) -> tuple[int, ...]:
    """Bytes one cell takes in each layer, none where it does not attend; each keeps the whole window.

    Without flash attention llama.cpp stores values transposed, every layer as wide as the widest;
    quantized values need it. What recurrent layers keep does not grow by the token, and the
    indexers of sparse attention are left out. Raises UsageError where a type cannot be used.
    """
    keys, values = _cache_type(type_k), _cache_type(type_v)
    widths = [_widths(header, layer) for layer in range(header.layers)]
    transposed = not flash_attention and values.block == 1
    widest = max((value for _, value in widths), default=0) if transposed else 0
    sizes = [0] * header.layers
    for layer in _attending(header):
        key, value = widths[layer]
        sizes[layer] = _row(keys, key)
        if not _keeps_keys_alone(header):
            sizes[layer] += _row(values, max(value, widest))
    return tuple(sizes)


def kv_bytes(
    header: GgufHeader, cells: int, type_k: str, type_v: str, *, flash_attention: bool = False
) -> int:
    """Bytes of so many cells."""
    return cells * bytes_per_token(header, type_k, type_v, flash_attention=flash_attention)


def recurrent_layers(header: GgufHeader) -> int:
    """Layers that keep a state of fixed size, from which nothing can be taken back."""
    return header.layers if header.architecture in RECURRENT else len(_recurrent(header))


def _cache_type(name: str) -> TensorType:
    if name not in CACHE_TYPES:
        raise UsageError(f"the KV cache cannot be of type {name!r}; it can be {', '.join(CACHE_TYPES)}")
    return CACHE_TYPES[name]


def _row(kind: TensorType, width: int) -> int:
    if width % kind.block:
        raise UsageError(
            f"this model keeps {width} values in a layer, which {kind.name.lower()} cannot hold; use f16"
        )
    return kind.row(width)


def _attending(header: GgufHeader) -> list[int]:
    """The layers that have cells of their own."""
    if header.architecture in RECURRENT:
        return []
    layers = range(header.layers - (header.count("nextn_predict_layers") or 0)) or range(header.layers)
    own = _own_layers(header)
    recurrent = _recurrent(header)
    return [layer for layer in layers if layer < own and layer not in recurrent]


def _own_layers(header: GgufHeader) -> int:
    """Layers from this one on use the cells of earlier ones."""
    if header.architecture == "gemma3n":
        return GEMMA3N_OWN_LAYERS
    return header.layers - (header.count("attention.shared_kv_layers") or 0)


def _recurrent(header: GgufHeader) -> set[int]:
    if header.architecture in HYBRID:
        heads = per_layer(header, "attention.head_count_kv") or ()
        return {layer for layer, count in enumerate(heads) if not count}
    if header.architecture in INTERVALS:
        marked = per_layer(header, "attention.recurrent_layers")
        if marked is not None:
            return {layer for layer, recurrent in enumerate(marked) if recurrent}
        interval = header.count("full_attention_interval") or INTERVALS[header.architecture]
        return {layer for layer in range(header.layers) if (layer + 1) % interval}
    return set()


def _widths(header: GgufHeader, layer: int) -> tuple[int, int]:
    """Values a layer keeps of a token: of its keys, and of its values."""
    heads = per_layer(header, "attention.head_count") or (0,) * header.layers
    kv_heads = (per_layer(header, "attention.head_count_kv") or heads)[layer]
    default = (header.count("embedding_length") or 0) // heads[0] if heads[0] else 0
    key = header.count("attention.key_length") or default
    value = header.count("attention.value_length") or default
    if _slides(header, layer):
        key = header.count("attention.key_length_swa") or key
        value = header.count("attention.value_length_swa") or value
    return kv_heads * key, kv_heads * value


def _slides(header: GgufHeader, layer: int) -> bool:
    """Whether a layer attends to a sliding window, as far as the file lists it."""
    pattern = header.metadata.get(f"{header.architecture}.attention.sliding_window_pattern")
    return isinstance(pattern, tuple) and layer < len(pattern) and bool(pattern[layer])


def _keeps_keys_alone(header: GgufHeader) -> bool:
    """Multi-head latent attention derives values from keys."""
    return bool(header.count("attention.key_length_mla") and header.count("attention.value_length_mla"))
