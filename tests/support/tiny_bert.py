"""Writes a tiny model of the shape of BERT, which embeds texts and keeps no cells."""

from collections.abc import Mapping
from pathlib import Path
from string import ascii_lowercase, digits, punctuation

import gguf
import numpy as np

from tests.support.tiny_gguf import Array

LAYERS, HEADS, WIDTH, FEED_FORWARD = 2, 2, 32, 64
CONTROL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LETTERS = ascii_lowercase + digits + punctuation
# A word begins with a mark, and goes on without it.
TOKENS = [*CONTROL, *(f"▁{letter}" for letter in LETTERS), *LETTERS]


def write_tiny_bert(
    path: Path,
    *,
    window: int = 64,
    seed: int = 0,
    pooling: int | None = gguf.PoolingType.MEAN,
    broken: bool = False,
    more: Mapping[str, int] | None = None,
) -> Path:
    """Write a model to `path`; `broken` weights are no numbers, `more` is metadata besides."""
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name("tiny-bert")
    writer.add_context_length(window)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    if pooling is not None:
        writer.add_uint32("bert.pooling_type", pooling)
    for key, number in (more or {}).items():
        writer.add_uint32(key, number)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    _write_vocabulary(writer)
    for name, tensor in _tensors(window, seed).items():
        writer.add_tensor(name, np.full_like(tensor, np.nan) if broken else tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _write_vocabulary(writer: gguf.GGUFWriter) -> None:
    kinds = dict.fromkeys(CONTROL, gguf.TokenType.CONTROL)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("jina-v2-en")
    writer.add_token_list(TOKENS)
    writer.add_token_types([kinds.get(text, gguf.TokenType.NORMAL) for text in TOKENS])
    writer.add_token_type_count(2)
    writer.add_unk_token_id(TOKENS.index("[UNK]"))
    writer.add_bos_token_id(TOKENS.index("[CLS]"))
    writer.add_sep_token_id(TOKENS.index("[SEP]"))


def _tensors(window: int, seed: int) -> dict[str, Array]:
    random = np.random.default_rng(seed)

    def weights(*shape: int) -> Array:
        return (random.standard_normal(shape) * 0.3).astype(np.float32)

    def norm(name: str) -> dict[str, Array]:
        return {f"{name}.weight": np.ones(WIDTH, np.float32), f"{name}.bias": np.zeros(WIDTH, np.float32)}

    tensors = {
        "token_embd.weight": weights(len(TOKENS), WIDTH),
        "token_types.weight": weights(2, WIDTH),
        "position_embd.weight": weights(window, WIDTH),
        **norm("token_embd_norm"),
    }
    sizes = {
        "attn_q": (WIDTH, WIDTH),
        "attn_k": (WIDTH, WIDTH),
        "attn_v": (WIDTH, WIDTH),
        "attn_output": (WIDTH, WIDTH),
        "ffn_up": (FEED_FORWARD, WIDTH),
        "ffn_down": (WIDTH, FEED_FORWARD),
    }
    for layer in range(LAYERS):
        for name, size in sizes.items():
            tensors[f"blk.{layer}.{name}.weight"] = weights(*size)
            tensors[f"blk.{layer}.{name}.bias"] = weights(size[0])
        tensors |= norm(f"blk.{layer}.attn_output_norm") | norm(f"blk.{layer}.layer_output_norm")
    return tensors
