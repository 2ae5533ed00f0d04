"""What llama.cpp would end the process over is refused before it sees the file."""

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from ctxchat.domain.errors import ModelError
from ctxchat.engine.gguf.checks import check_vocabulary
from ctxchat.engine.gguf.library import ModelLibrary
from ctxchat.engine.gguf.purpose import other_purpose, refuse_other_purpose
from ctxchat.engine.gguf.reading import read_header
from tests.support.header_writer import F32, I32, LLAMA, Packed, Tensor, write_gguf
from tests.support.tiny_gguf import write_tiny_gguf

TENSORS = (Tensor("token_embd.weight", (576, 4)),)
OPEN = """
import sys
import llama_cpp.llama_cpp as lib
model = lib.llama_model_load_from_file(sys.argv[1].encode(), lib.llama_model_default_params())
print("opened" if model else "refused")
"""


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("block_count", 0),
        ("block_count", 513),
        ("block_count", Packed(I32, -1)),
        ("block_count", "30"),
        ("nextn_predict_layers", 31),
        ("attention.head_count", 0),
        ("attention.head_count", Packed(I32, -9)),
        ("attention.head_count", 1 << 31),
        ("attention.head_count", [9] * 29),
        ("attention.head_count_kv", 0),
        ("attention.head_count_kv", [0] * 30),
        ("attention.head_count_kv", [3.0] * 30),
        ("attention.key_length", 0),
        ("embedding_length", 0),
        ("embedding_length", 1 << 31),
        ("context_length", 0),
        ("context_length", "long"),
        ("full_attention_interval", 0),
        ("expert_count", 5000),
        ("expert_used_count", 2),
        ("attention.layer_norm_rms_epsilon", -1.0),
        ("attention.layer_norm_rms_epsilon", Packed(F32, float("nan"))),
        ("rope.scaling.type", "sideways"),
    ],
)
def test_numbers_that_make_no_model_are_refused(tmp_path: Path, key: str, value: object) -> None:
    path = write_gguf(tmp_path / "m.gguf", {**LLAMA, f"llama.{key}": value}, TENSORS)
    with pytest.raises(ModelError, match=rf"is damaged: llama\.{key} is ") as caught:
        read_header(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "experts",
    [
        {"expert_count": 8},
        {"expert_count": 8, "expert_used_count": 9},
        {"expert_count": 8, "expert_used_count": 2, "expert_group_count": 8},
        {"expert_count": 8, "expert_used_count": 2, "expert_group_count": 3},
        {"expert_count": 8, "expert_used_count": 2, "expert_group_count": 4, "expert_group_used_count": 4},
    ],
)
def test_experts_that_do_not_add_up_are_refused(tmp_path: Path, experts: dict[str, int]) -> None:
    metadata = {**LLAMA, **{f"llama.{key}": value for key, value in experts.items()}}
    with pytest.raises(ModelError, match=r"llama\.expert_"):
        read_header(write_gguf(tmp_path / "m.gguf", metadata, TENSORS))


def test_a_model_of_experts_is_read(tmp_path: Path) -> None:
    experts = {"llama.expert_count": 8, "llama.expert_used_count": 2}
    assert read_header(write_gguf(tmp_path / "m.gguf", {**LLAMA, **experts}, TENSORS)).layers == 30


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (
            {"general.architecture": "clip"},
            r"an image projector \(mmproj\), which cannot chat; name the language model itself",
        ),
        ({"general.architecture": "llama", "general.type": "adapter"}, "a LoRA adapter"),
        ({"general.type": "imatrix"}, "an importance matrix, which cannot chat"),
        ({"general.name": "nothing else"}, "does not say its architecture"),
        ({**LLAMA, "tokenizer.ggml.model": "none"}, "has no vocabulary"),
        ({"general.architecture": "llama", "general.alignment": 3}, "an alignment of 3 bytes"),
    ],
)
def test_files_that_hold_no_language_model_are_refused(
    tmp_path: Path, metadata: dict[str, object], words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        read_header(write_gguf(tmp_path / "m.gguf", metadata))


def test_a_projector_names_the_language_model_that_lies_beside_it(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "mmproj-F16.gguf", {"general.architecture": "clip"})
    write_gguf(tmp_path / "Seeing-7B.gguf", LLAMA, TENSORS)
    with pytest.raises(ModelError, match=r"name the language model itself, like Seeing-7B\.gguf beside it"):
        read_header(path)


@pytest.mark.parametrize(
    ("architecture", "more", "words"),
    [
        ("t5", {}, r"an encoder-decoder or an encoder \(t5\) and cannot chat: choose another with"),
        ("dream", {}, "a diffusion model"),
        (
            "bert",
            {"bert.attention.causal": False},
            "an embedding model .*; as notes.embedder in the settings",
        ),
    ],
)
def test_models_for_other_things_than_chatting_say_so(
    tmp_path: Path, architecture: str, more: dict[str, object], words: str
) -> None:
    shape = {key.replace("llama", architecture): value for key, value in LLAMA.items()}
    metadata = {**shape, **more, "general.architecture": architecture}
    header = read_header(write_gguf(tmp_path / "m.gguf", metadata, TENSORS))
    with pytest.raises(ModelError, match=words):
        refuse_other_purpose(header)
    found = ModelLibrary([], None).info(str(header.path))[0]
    assert found.template == other_purpose(header)


def opened(path: Path) -> subprocess.CompletedProcess[str]:
    """What becomes of a process that has llama.cpp open a file."""
    return subprocess.run(
        [sys.executable, "-c", OPEN, str(path)], capture_output=True, text=True, check=False
    )


def damaged_model(folder: Path, old: bytes, new: bytes) -> Path:
    path = write_tiny_gguf(folder / "m.gguf")
    raw = path.read_bytes()
    assert raw.count(old) == 1
    path.write_bytes(raw.replace(old, new))
    return path


def test_no_layers_end_the_process_and_are_refused_here(tmp_path: Path) -> None:
    key = b"llama.block_count" + struct.pack("<I", 4)
    path = damaged_model(tmp_path, key + struct.pack("<I", 2), key + struct.pack("<I", 0))
    assert opened(path).returncode < 0
    with pytest.raises(ModelError, match=r"llama\.block_count is 0"):
        read_header(path)


@pytest.mark.parametrize("damage", [b"<|im_st\0rt|>", b"<|im_start|>"], ids=["cut by a NUL", "the same"])
def test_two_tokens_of_one_text_end_the_process_and_are_refused_here(tmp_path: Path, damage: bytes) -> None:
    other = b"<|im_st" if b"\0" in damage else damage
    path = write_tiny_gguf(tmp_path / "m.gguf")
    raw = path.read_bytes()
    first = struct.pack("<Q", 12) + b"<|im_start|>"
    second = struct.pack("<Q", 13) + b"<|endoftext|>"
    raw = raw.replace(first, struct.pack("<Q", 12) + damage, 1)
    raw = raw.replace(second, struct.pack("<Q", 13) + other.ljust(13, b"\0"), 1)
    path.write_bytes(raw)
    assert opened(path).returncode < 0
    with pytest.raises(ModelError, match="two tokens of its vocabulary have one text"):
        check_vocabulary(read_header(path))


def test_whole_vocabularies_pass(tmp_path: Path, smollm2: Path) -> None:
    check_vocabulary(read_header(smollm2))
    path = write_tiny_gguf(tmp_path / "m.gguf")
    assert opened(path).stdout == "opened\n"
    check_vocabulary(read_header(path))
