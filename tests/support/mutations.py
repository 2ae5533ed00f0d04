"""Headers damaged at random, as disks, networks and people with bad intentions do it."""

import random
from pathlib import Path

from tests.support.header_writer import LLAMA, Tensor, write_gguf

EXTREMES = (0, 1, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**63, 2**64 - 1)

TOKENS = [f"token {number}" for number in range(300)]
SHAPES: dict[str, dict[str, object]] = {
    "dense": {**LLAMA, "tokenizer.ggml.tokens": TOKENS, "tokenizer.ggml.token_type": [1] * 300},
    "per layer": {
        **LLAMA,
        "llama.attention.head_count": [9] * 30,
        "llama.attention.head_count_kv": [3, 0, 1] * 10,
        "llama.attention.sliding_window_pattern": [True, False, True] * 10,
    },
    "experts": {**LLAMA, "llama.expert_count": 8, "llama.expert_used_count": 2},
    "template": {
        **LLAMA,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": TOKENS,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.chat_template": "{% for m in messages %}<|im_start|>{{ m.content }}{% endfor %}",
    },
    "split": {**LLAMA, "split.count": 2, "split.no": 0},
}
TENSORS = (Tensor("token_embd.weight", (64, 4), 8), Tensor("output_norm.weight", (64,)))


def shapes(folder: Path) -> dict[str, bytes]:
    """Whole headers, by what is special in each."""
    return {
        name: write_gguf(folder / "shape.gguf", metadata, TENSORS).read_bytes()
        for name, metadata in SHAPES.items()
    }


def mutated(raw: bytes, chance: random.Random, end: int) -> bytes:
    """One to four damages of the first `end` bytes."""
    hurt = bytearray(raw)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(min(end, len(hurt)) or 1) if hurt else 0
        kind = chance.randrange(6)
        if kind == 0 and hurt:
            hurt[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            size = chance.choice((4, 8))
            number = chance.choice(EXTREMES) & (1 << 8 * size) - 1
            hurt[at : at + size] = number.to_bytes(size, "little")
        elif kind == 2:
            del hurt[at:]
        elif kind == 3:
            del hurt[at : at + chance.randint(1, 64)]
        elif kind == 4:
            hurt[at:at] = chance.randbytes(chance.randint(1, 64))
        else:
            begin = chance.randrange(len(hurt) or 1)
            hurt[at : at + 16] = hurt[begin : begin + 16]
    return bytes(hurt)
