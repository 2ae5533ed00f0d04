"""What llama.cpp would answer with an abort of the whole process, refused before it sees the file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ctxchat.domain.errors import ModelError
from ctxchat.engine.gguf.cursor import Texts, damaged
from ctxchat.engine.gguf.purpose import refuse_companion

if TYPE_CHECKING:
    from ctxchat.engine.gguf.header import GgufHeader

MAX_LAYERS = 512
MAX_EXPERTS = 1024
MAX_SIZE = 1 << 24
"""Above any head count, width or length of a head there is, and far below an overflow."""

RECURRENT = frozenset({"mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"})
"""Architectures without any attention."""

_SCALINGS = {"none", "linear", "yarn", "longrope"}
_COUNTS = (
    "context_length",
    "embedding_length",
    "attention.key_length",
    "attention.value_length",
    "attention.key_length_swa",
    "attention.value_length_swa",
    "full_attention_interval",
)


def check_kind(path: Path, metadata: Mapping[str, object]) -> None:
    """Raises ModelError where the file is no language model."""
    refuse_companion(path, metadata)
    architecture = metadata.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise damaged(path, "it does not say its architecture")


def check_shape(header: GgufHeader) -> None:
    """Raises ModelError where numbers of layers, heads or experts make no model."""
    if header.tensors or f"{header.architecture}.block_count" in header.metadata:
        _check_layers(header)
        _check_heads(header)
    _check_counts(header)
    _check_experts(header)
    _check_numerics(header)
    if header.text("tokenizer.ggml.model") in {"none", "no_vocab"}:
        raise ModelError(f"{header.path} has no vocabulary, so it cannot chat")


def check_vocabulary(header: GgufHeader) -> None:
    """Raises ModelError where two tokens have one text; llama.cpp ends the process there, and
    it reads a token up to its first NUL.

    For whoever loads the file, apart from `check_shape` because it reads every token and takes as
    long again as the whole header.
    """
    tokens = header.metadata.get("tokenizer.ggml.tokens")
    if isinstance(tokens, Texts):
        texts = [text.split(b"\0", 1)[0] if b"\0" in text else text for text in tokens.raw()]
        if len(set(texts)) + max(texts.count(b"") - 1, 0) < len(texts):
            raise damaged(header.path, "two tokens of its vocabulary have one text")


def per_layer(header: GgufHeader, key: str) -> tuple[int, ...] | None:
    """A count of the architecture for each layer: one for all, or an array. None where absent."""
    value = header.metadata.get(f"{header.architecture}.{key}")
    if isinstance(value, int):
        return (value,) * header.layers
    if isinstance(value, tuple) and all(isinstance(count, int) for count in value):
        return value
    return None


def _refuse(header: GgufHeader, key: str) -> ModelError:
    value = header.metadata.get(f"{header.architecture}.{key}")
    return damaged(header.path, f"{header.architecture}.{key} is {value!r}")


def _check_layers(header: GgufHeader) -> None:
    if not 0 < header.layers <= MAX_LAYERS:
        raise _refuse(header, "block_count")
    if not 0 <= (header.count("nextn_predict_layers") or 0) <= header.layers:
        raise _refuse(header, "nextn_predict_layers")


def _check_heads(header: GgufHeader) -> None:
    for key in ("attention.head_count", "attention.head_count_kv"):
        if f"{header.architecture}.{key}" not in header.metadata:
            continue
        heads = per_layer(header, key)
        if heads is None or len(heads) != header.layers or not 0 <= min(heads) <= max(heads) <= MAX_SIZE:
            raise _refuse(header, key)
        if not any(heads) and header.architecture not in RECURRENT:
            raise _refuse(header, key)


def _check_counts(header: GgufHeader) -> None:
    for key in _COUNTS:
        value = header.metadata.get(f"{header.architecture}.{key}")
        if value is None:
            continue
        limit = MAX_SIZE if key != "context_length" else 1 << 32
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < limit:
            raise _refuse(header, key)


def _check_experts(header: GgufHeader) -> None:
    experts = header.count("expert_count") or 0
    used = max(per_layer(header, "expert_used_count") or (0,), default=0)
    groups = header.count("expert_group_count") or 0
    if not 0 <= experts <= MAX_EXPERTS:
        raise _refuse(header, "expert_count")
    if not 0 <= used <= experts or (experts > 0 and used == 0 and "hunyuan" not in header.architecture):
        raise _refuse(header, "expert_used_count")
    if groups > max(experts - 1, 0) or (groups > 1 and experts % groups):
        raise _refuse(header, "expert_group_count")
    if groups > 1 and not 0 < (header.count("expert_group_used_count") or 0) < groups:
        raise _refuse(header, "expert_group_used_count")


def _check_numerics(header: GgufHeader) -> None:
    prefix = f"{header.architecture}."
    for key, value in header.metadata.items():
        number = value if isinstance(value, float) and key.endswith("epsilon") else 0.0
        if not (math.isfinite(number) and number >= 0):
            raise _refuse(header, key.removeprefix(prefix))
    if header.metadata.get(f"{prefix}rope.scaling.type", "none") not in _SCALINGS:
        raise _refuse(header, "rope.scaling.type")
