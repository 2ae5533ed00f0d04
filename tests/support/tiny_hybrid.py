"""Writes a tiny model of the shape of LFM2: some layers attend, the others keep a state of fixed size."""

from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np

from tests.support.tiny_gguf import CONTROL, TOKENS, USER_DEFINED, Array, Shape, write_vocabulary

LAYERS, WIDTH, HEADS, KV_HEADS, FEED, CONVOLUTION = 4, 64, 2, 1, 96, 3
ATTENDING = (1, 3)
HEAD = WIDTH // HEADS


def write_tiny_hybrid(path: Path) -> Path:
    """Write the model to `path`: its weights are random, and it never ends a turn."""
    writer = gguf.GGUFWriter(path, "lfm2")
    writer.add_name("tiny-hybrid")
    writer.add_context_length(2048)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv([KV_HEADS if layer in ATTENDING else 0 for layer in range(LAYERS)])
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_uint32("lfm2.shortconv.l_cache", CONVOLUTION)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    write_vocabulary(writer, Shape())
    for name, tensor in _tensors().items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _tensors() -> dict[str, Array]:
    random = np.random.default_rng(0)

    def weights(*shape: int) -> Array:
        return (random.standard_normal(shape) * 0.2).astype(np.float32)

    embedding, output = weights(len(TOKENS), WIDTH), weights(len(TOKENS), WIDTH)
    embedding[:, 0], output[:, 0] = 1, 0
    for text in (*CONTROL, *USER_DEFINED):
        output[TOKENS.index(text)] = 0
        output[TOKENS.index(text), 0] = -100
    tensors = {
        "token_embd.weight": embedding,
        "output.weight": output,
        "token_embd_norm.weight": np.ones(WIDTH, np.float32),
    }
    for layer in range(LAYERS):
        block = {
            "attn_norm.weight": np.ones(WIDTH, np.float32),
            "ffn_norm.weight": np.ones(WIDTH, np.float32),
            "ffn_gate.weight": weights(FEED, WIDTH),
            "ffn_up.weight": weights(FEED, WIDTH),
            "ffn_down.weight": weights(WIDTH, FEED),
        }
        block |= _attention(weights) if layer in ATTENDING else _convolution(weights)
        for name in ("ffn_down.weight", "attn_output.weight", "shortconv.out_proj.weight"):
            if name in block:
                block[name][0] = 0
        tensors |= {f"blk.{layer}.{name}": tensor for name, tensor in block.items()}
    return tensors


def _attention(weights: Callable[..., Array]) -> dict[str, Array]:
    return {
        "attn_q.weight": weights(WIDTH, WIDTH),
        "attn_k.weight": weights(KV_HEADS * HEAD, WIDTH),
        "attn_v.weight": weights(KV_HEADS * HEAD, WIDTH),
        "attn_output.weight": weights(WIDTH, WIDTH),
        "attn_q_norm.weight": np.ones(HEAD, np.float32),
        "attn_k_norm.weight": np.ones(HEAD, np.float32),
    }


def _convolution(weights: Callable[..., Array]) -> dict[str, Array]:
    return {
        "shortconv.conv.weight": weights(WIDTH, CONVOLUTION),
        "shortconv.in_proj.weight": weights(3 * WIDTH, WIDTH),
        "shortconv.out_proj.weight": weights(WIDTH, WIDTH),
    }
