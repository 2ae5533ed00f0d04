"""The formula of KV bytes against what llama.cpp reports, and against figures that are known."""

import subprocess
import sys
from pathlib import Path

import pytest

from ctxchat.domain.errors import UsageError
from ctxchat.engine.gguf.kv_size import bytes_per_token, kv_bytes
from ctxchat.engine.gguf.reading import read_header
from tests.conftest import ROOT
from tests.support.header_writer import LLAMA, Tensor, write_gguf
from tests.support.tiny_gguf import MERGES, TOKENS, Shape, write_tiny_gguf
from tests.support.tiny_hybrid import write_tiny_hybrid
from tests.support.tiny_sliding import write_tiny_sliding

CELLS = 16_384
MIB = 1 << 20
KINDS = [
    ("f16", "f16", 0),
    ("f16", "f16", 1),
    ("f32", "bf16", 0),
    ("q8_0", "f16", 0),
    ("q8_0", "q8_0", 1),
    ("q8_0", "q4_0", 1),
    ("q5_1", "q5_0", 1),
    ("q4_1", "iq4_nl", 1),
]


def uneven_layers(path: Path) -> Path:
    """Layers with two KV heads, with none, and with one, none of them with a feed-forward part."""
    width, length = 128, 32
    heads, kv_heads = [4, 0, 4], [2, 0, 1]
    metadata = {
        "general.architecture": "deci",
        "deci.context_length": 2048,
        "deci.embedding_length": width,
        "deci.block_count": 3,
        "deci.feed_forward_length": [0, 0, 0],
        "deci.attention.head_count": heads,
        "deci.attention.head_count_kv": kv_heads,
        "deci.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": TOKENS,
        "tokenizer.ggml.merges": list(MERGES),
    }
    tensors = [Tensor("token_embd.weight", (width, len(TOKENS))), Tensor("output_norm.weight", (width,))]
    for layer in (0, 2):
        tensors += [
            Tensor(f"blk.{layer}.attn_norm.weight", (width,)),
            Tensor(f"blk.{layer}.attn_q.weight", (width, width)),
            Tensor(f"blk.{layer}.attn_k.weight", (width, length * kv_heads[layer])),
            Tensor(f"blk.{layer}.attn_v.weight", (width, length * kv_heads[layer])),
            Tensor(f"blk.{layer}.attn_output.weight", (width, width)),
        ]
    return write_gguf(path, metadata, tensors)


def test_bytes_are_those_that_llama_cpp_reports(tmp_path: Path) -> None:
    models = [
        write_tiny_gguf(tmp_path / "multi-head.gguf", Shape(heads=4, kv_heads=4)),
        write_tiny_gguf(tmp_path / "grouped.gguf"),
        write_tiny_gguf(tmp_path / "multi-query.gguf", Shape(layers=3, heads=2, kv_heads=1, head_length=64)),
        uneven_layers(tmp_path / "per layer.gguf"),
        write_tiny_sliding(tmp_path / "sliding.gguf", head=32),
        write_tiny_hybrid(tmp_path / "hybrid.gguf"),
    ]
    cases = [(model, *kinds) for model in models for kinds in KINDS]
    script = [sys.executable, str(ROOT / "tests/support/report_kv_size.py")]
    arguments = [str(argument) for case in cases for argument in case]
    reported = subprocess.run([*script, *arguments], capture_output=True, text=True, check=True).stdout
    for case, mib in zip(cases, reported.split(), strict=True):
        model, type_k, type_v, flash = case
        taken = kv_bytes(read_header(model), CELLS, type_k, type_v, flash_attention=bool(flash))
        assert taken == pytest.approx(float(mib) * MIB, abs=0.011 * MIB), case


@pytest.mark.parametrize(
    ("type_k", "type_v", "expected"),
    [("f16", "f16", 23_040), ("q8_0", "f16", 17_640), ("q8_0", "q8_0", 12_240), ("q4_0", "q4_0", 6_480)],
)
def test_smollm2_takes_what_was_measured(tmp_path: Path, type_k: str, type_v: str, expected: int) -> None:
    header = read_header(write_gguf(tmp_path / "shape.gguf"))
    assert bytes_per_token(header, type_k, type_v) == expected
    assert kv_bytes(header, 8192, type_k, type_v) == 8192 * expected


def with_architecture(path: Path, name: str, changes: dict[str, object]) -> Path:
    base = {key.replace("llama.", f"{name}."): value for key, value in LLAMA.items()}
    changed = {f"{name}.{key}": value for key, value in changes.items()}
    return write_gguf(path, {**base, "general.architecture": name, **changed})


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        pytest.param(
            "deepseek2",
            {
                "block_count": 61,
                "embedding_length": 7168,
                "attention.head_count": 128,
                "attention.head_count_kv": 1,
                "attention.key_length": 576,
                "attention.value_length": 512,
                "attention.key_length_mla": 192,
                "attention.value_length_mla": 128,
            },
            61 * 576 * 2,
            id="latent attention keeps keys alone",
        ),
        pytest.param("mamba", {}, 0, id="a recurrent model keeps nothing by the token"),
        pytest.param(
            "qwen35",
            {"full_attention_interval": 5},
            6 * 2 * 192 * 2,
            id="every fifth layer of a hybrid attends",
        ),
        pytest.param(
            "lfm2",
            {"attention.head_count_kv": [0, 0, 3] * 10},
            10 * 2 * 192 * 2,
            id="a hybrid's layers without KV heads keep nothing",
        ),
        pytest.param(
            "gemma4",
            {
                "attention.key_length": 128,
                "attention.value_length": 128,
                "attention.key_length_swa": 64,
                "attention.value_length_swa": 64,
                "attention.sliding_window_pattern": [True, True, False] * 10,
                "attention.shared_kv_layers": 15,
            },
            (10 * 64 + 5 * 128) * 3 * 2 * 2,
            id="sliding layers have heads of their own length, and shared layers no cells",
        ),
        pytest.param(
            "glm4moe", {"nextn_predict_layers": 1}, 29 * 2 * 192 * 2, id="drafting layers are not run"
        ),
    ],
)
def test_architectures_keep_what_their_layers_attend_to(
    tmp_path: Path, name: str, changes: dict[str, object], expected: int
) -> None:
    header = read_header(with_architecture(tmp_path / "model.gguf", name, changes))
    assert bytes_per_token(header, "f16", "f16", flash_attention=True) == expected


def test_an_unknown_type_is_named_with_those_there_are(tmp_path: Path) -> None:
    header = read_header(write_gguf(tmp_path / "shape.gguf"))
    with pytest.raises(UsageError, match=r"'q3_0'.*f16.*q8_0"):
        bytes_per_token(header, "q3_0", "f16")


def test_a_width_that_a_type_cannot_hold_is_said(tmp_path: Path) -> None:
    narrow = {**LLAMA, "llama.attention.key_length": 15}
    header = read_header(write_gguf(tmp_path / "shape.gguf", narrow))
    with pytest.raises(UsageError, match="45 values"):
        bytes_per_token(header, "q8_0", "f16")
