"""How far what was read can be reused, by a file's header, in a person's words."""

from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.gguf.kv_size import recurrent_layers

ANY_BEGINNING = "whatever a prompt begins with as the one before did is reused"

SEE_ALL = frozenset({"llama", "mistral3", "phi3", "qwen2", "qwen2moe", "qwen3", "qwen3moe", "starcoder2"})
"""Architectures whose window llama.cpp passes over where a file names one."""


def reuse_words(header: GgufHeader) -> str:
    """What the cache of a model allows."""
    recurrent, window = recurrent_layers(header), header.count("attention.sliding_window")
    if recurrent:
        return (
            f"{recurrent:,} of {header.layers:,} layers keep a state that cannot be cut back: a conversation "
            "is read on, another answer or an edited question from where its turn began, and an earlier edit "
            "from the beginning"
        )
    if window and header.architecture not in SEE_ALL:
        return (
            f"layers that see {window:,} tokens keep all of them like the others, which the bytes of a token "
            f"count: {ANY_BEGINNING}; what comes back from disk is not cut back"
        )
    return ANY_BEGINNING
