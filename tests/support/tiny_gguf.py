"""Writes a model of the shape of Llama that is small enough to be made for one test run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import gguf
import numpy as np

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
USER_DEFINED = ("<|user|>",)
MERGES = ("t h", "Ġ th", "Ġth e", "i n", "e r", "Ġ a", "o n", "r e", "Ġ w", "l l", "h e", "Ġ s", "a n", "Ġ o")

Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


@dataclass(frozen=True)
class Shape:
    """Sizes of a model. `says` makes it answer with this text (no byte of it twice) and then end
    its turn, whatever is asked; else its weights are random, and it never ends a turn.

    `broken` weights are no numbers, `bare` leaves all of them out, `told_feed_forward` is a size
    the metadata lies about, and `more` is metadata besides. In a context of more cells than
    `original_window`, positions are encoded by other factors.
    """

    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    head_length: int = 32
    feed_forward: int = 96
    window: int = 2048
    seed: int = 0
    template: str | None = CHATML
    says: str | None = None
    broken: bool = False
    bare: bool = False
    told_feed_forward: int | None = None
    original_window: int | None = None
    more: Mapping[str, object] = field(default_factory=dict)


def byte_letters() -> list[str]:
    """The 256 letters that stand for bytes in a byte-level vocabulary, as GPT-2 chose them."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (byte for byte in range(256) if byte not in plain)
    letters = {byte: chr(byte) for byte in plain} | {byte: chr(256 + n) for n, byte in enumerate(others)}
    return [letters[byte] for byte in range(256)]


TOKENS = [*byte_letters(), *(merge.replace(" ", "") for merge in MERGES), *USER_DEFINED, *CONTROL]
END_OF_TURN = TOKENS.index("<|im_end|>")


def write_tiny_gguf(path: Path, shape: Shape | None = None) -> Path:
    """Write a model of a shape to `path`, about 1 MB, in about 10 ms."""
    shape = shape or Shape()
    writer = gguf.GGUFWriter(path, "llama")
    _write_metadata(writer, shape)
    write_vocabulary(writer, shape)
    for name, tensor in () if shape.bare else _tensors(shape).items():
        writer.add_tensor(name, np.full_like(tensor, np.nan) if shape.broken else tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _width(shape: Shape) -> int:
    return 512 if shape.says else 128


def _write_metadata(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_name("tiny")
    writer.add_context_length(shape.window)
    writer.add_embedding_length(_width(shape))
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.told_feed_forward or shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_length)
    writer.add_value_length(shape.head_length)
    writer.add_rope_dimension_count(shape.head_length)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    if shape.original_window:
        writer.add_rope_scaling_type(gguf.RopeScalingType.LONGROPE)
        writer.add_rope_scaling_orig_ctx_len(shape.original_window)
    for key, value in shape.more.items():
        writer.add_key_value(
            key, value, gguf.GGUFValueType.BOOL if isinstance(value, bool) else gguf.GGUFValueType.UINT32
        )


def write_vocabulary(writer: gguf.GGUFWriter, shape: Shape) -> None:
    """A byte-level vocabulary, and the chat template of the shape."""
    kinds = dict.fromkeys(USER_DEFINED, gguf.TokenType.USER_DEFINED)
    kinds |= dict.fromkeys(CONTROL, gguf.TokenType.CONTROL)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(TOKENS)
    writer.add_token_types([kinds.get(text, gguf.TokenType.NORMAL) for text in TOKENS])
    writer.add_token_merges(list(MERGES))
    writer.add_bos_token_id(TOKENS.index("<|endoftext|>"))
    writer.add_eos_token_id(END_OF_TURN)
    writer.add_add_bos_token(False)
    if shape.template is not None:
        writer.add_chat_template(shape.template)


def _tensors(shape: Shape) -> dict[str, Array]:
    random = np.random.default_rng(shape.seed)
    width, mixed = _width(shape), 0.0 if shape.says else 0.2

    def weights(rows: int, columns: int) -> Array:
        return (random.standard_normal((rows, columns)) * mixed).astype(np.float32)

    embedding, output = _says(shape.says, width) if shape.says else _random(weights, width)
    tensors = {
        "token_embd.weight": embedding,
        "output.weight": output,
        "output_norm.weight": np.ones(width, np.float32),
    }
    queries, keys = shape.heads * shape.head_length, shape.kv_heads * shape.head_length
    sizes = {
        "attn_q": (queries, width),
        "attn_k": (keys, width),
        "attn_v": (keys, width),
        "attn_output": (width, queries),
        "ffn_gate": (shape.feed_forward, width),
        "ffn_up": (shape.feed_forward, width),
        "ffn_down": (width, shape.feed_forward),
    }
    for layer in range(shape.layers):
        for name in ("attn_norm", "ffn_norm"):
            tensors[f"blk.{layer}.{name}.weight"] = np.ones(width, np.float32)
        for name, (rows, columns) in sizes.items():
            tensor = weights(rows, columns)
            if name in {"attn_output", "ffn_down"}:
                tensor[0] = 0
            tensors[f"blk.{layer}.{name}.weight"] = tensor
    if shape.original_window:
        tensors["rope_factors_short.weight"] = np.ones(shape.head_length // 2, np.float32)
        tensors["rope_factors_long.weight"] = np.full(shape.head_length // 2, 7, np.float32)
    return tensors


def _random(weights: Callable[[int, int], Array], width: int) -> tuple[Array, Array]:
    """Random, but for the first dimension: it is the same for every token, nothing is added to
    it, and by it no control token is ever likely."""
    embedding, output = weights(len(TOKENS), width), weights(len(TOKENS), width)
    embedding[:, 0], output[:, 0] = 1, 0
    for text in (*CONTROL, *USER_DEFINED):
        output[TOKENS.index(text)] = 0
        output[TOKENS.index(text), 0] = -100
    return embedding, output


def _says(text: str, width: int) -> tuple[Array, Array]:
    """Each token a direction of its own, and most likely followed by the next byte of the text;
    what is not in the text is followed by its beginning."""
    embedding = np.eye(len(TOKENS), width, dtype=np.float32)
    chain = [*text.encode(), END_OF_TURN]
    followers = dict.fromkeys(range(len(TOKENS)), chain[0]) | dict(pairwise(chain))
    output = np.zeros((len(TOKENS), width), np.float32)
    for token, follower in followers.items():
        output[follower, token] = 1
    return embedding, output
