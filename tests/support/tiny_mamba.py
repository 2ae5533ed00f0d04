"""Writes a tiny model of the shape of Mamba: a recurrent state, whose parts cannot be shared or cut off."""

from pathlib import Path

import gguf
import numpy as np

from tests.support.tiny_gguf import CONTROL, TOKENS, USER_DEFINED, Array, Shape, write_vocabulary

LAYERS, WIDTH, INNER, CONVOLUTION, STATE, RANK = 2, 64, 128, 4, 16, 8


def write_tiny_mamba(path: Path) -> Path:
    """Write the model to `path`: its weights are random, and it never ends a turn."""
    writer = gguf.GGUFWriter(path, "mamba")
    writer.add_name("tiny-mamba")
    writer.add_context_length(2048)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_ssm_conv_kernel(CONVOLUTION)
    writer.add_ssm_inner_size(INNER)
    writer.add_ssm_state_size(STATE)
    writer.add_ssm_time_step_rank(RANK)
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
        "output_norm.weight": np.ones(WIDTH, np.float32),
    }
    for layer in range(LAYERS):
        block = {
            "attn_norm.weight": np.ones(WIDTH, np.float32),
            "ssm_in.weight": weights(2 * INNER, WIDTH),
            "ssm_conv1d.weight": weights(INNER, CONVOLUTION),
            "ssm_conv1d.bias": weights(INNER),
            "ssm_x.weight": weights(RANK + 2 * STATE, INNER),
            "ssm_dt.weight": weights(INNER, RANK),
            "ssm_dt.bias": weights(INNER),
            "ssm_a": -np.abs(weights(INNER, STATE)) - 0.1,
            "ssm_d": weights(INNER),
            "ssm_out.weight": weights(WIDTH, INNER),
        }
        block["ssm_out.weight"][0] = 0
        tensors |= {f"blk.{layer}.{name}": tensor for name, tensor in block.items()}
    return tensors
