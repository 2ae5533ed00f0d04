"""Writes a tiny model of the shape of Cohere's second: three of four layers see the last 64 tokens alone."""

from pathlib import Path

import gguf
import numpy as np

from tests.support.tiny_gguf import TOKENS, Array, Shape, write_vocabulary

LAYERS, WIDTH, KV_HEADS, HEAD, FEED, SEEN = 4, 64, 2, 16, 96, 64


def write_tiny_sliding(path: Path, head: int = HEAD) -> Path:
    """Write the model to `path`: its weights are random, its heads of this length."""
    writer = gguf.GGUFWriter(path, "cohere2")
    writer.add_name("tiny-sliding")
    writer.add_context_length(2048)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED)
    writer.add_head_count(WIDTH // head)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_layer_norm_eps(1e-5)
    writer.add_logit_scale(1.0)
    writer.add_sliding_window(SEEN)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    write_vocabulary(writer, Shape())
    for name, tensor in _tensors(head).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _tensors(head: int) -> dict[str, Array]:
    random = np.random.default_rng(0)

    def weights(*shape: int) -> Array:
        return (random.standard_normal(shape) * 0.2).astype(np.float32)

    tensors = {
        "token_embd.weight": weights(len(TOKENS), WIDTH),
        "output_norm.weight": np.ones(WIDTH, np.float32),
    }
    sizes = {
        "attn_q": (WIDTH, WIDTH),
        "attn_k": (KV_HEADS * head, WIDTH),
        "attn_v": (KV_HEADS * head, WIDTH),
        "attn_output": (WIDTH, WIDTH),
        "ffn_gate": (FEED, WIDTH),
        "ffn_up": (FEED, WIDTH),
        "ffn_down": (WIDTH, FEED),
    }
    for layer in range(LAYERS):
        tensors[f"blk.{layer}.attn_norm.weight"] = np.ones(WIDTH, np.float32)
        tensors |= {f"blk.{layer}.{name}.weight": weights(*size) for name, size in sizes.items()}
    return tensors
