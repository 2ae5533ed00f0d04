"""What is read from a header, and what a file that is not whole is told."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from ctxchat.domain.errors import ModelError
from ctxchat.engine.gguf.cursor import Numbers, Texts
from ctxchat.engine.gguf.reading import read_header
from tests.support.header_writer import I32, LLAMA, U64, Packed, Tensor, packed_text, write_gguf

TENSORS = (Tensor("token_embd.weight", (64, 100), 8), Tensor("output_norm.weight", (64,)))


def test_smollm2_is_described(smollm2: Path) -> None:
    header = read_header(smollm2)
    assert (header.architecture, header.window, header.layers) == ("llama", 8192, 30)
    assert (header.parameters, header.quantization) == (134_515_008, "Q4_1")
    assert header.bytes == smollm2.stat().st_size
    assert len(header.tensors) == 272
    assert header.tensors[-1].offset + header.tensors[-1].bytes <= header.bytes


def test_a_vocabulary_stays_in_the_file_and_can_be_asked(smollm2: Path) -> None:
    header = read_header(smollm2)
    tokens, kinds = header.metadata["tokenizer.ggml.tokens"], header.metadata["tokenizer.ggml.token_type"]
    assert isinstance(tokens, Texts)
    assert isinstance(kinds, Numbers)
    assert len(tokens) == len(kinds) == 49_152
    in_order = list(tokens)
    assert [tokens[place] for place in (0, 1, 255, 256, 257, 49_151)] == [
        in_order[place] for place in (0, 1, 255, 256, 257, 49_151)
    ]
    assert in_order[1] == "<|im_start|>"
    assert list(kinds)[:2] == [kinds[0], kinds[1]] == [3, 3]
    for array in (tokens, kinds):
        with pytest.raises(IndexError):
            array[49_152]


def test_values_of_all_kinds_are_read(tmp_path: Path) -> None:
    extra = {
        "a.negative": Packed(I32, -7),
        "a.huge": Packed(U64, 1 << 40),
        "a.flag": True,
        "a.list": [1, 2, 3],
        "a.texts": ["ein", "zwei"],
        "a.empty": [],
        "a.text": "grün",
        "a.broken": b"\xff!",
    }
    metadata = read_header(write_gguf(tmp_path / "m.gguf", {**LLAMA, **extra})).metadata
    expected = (-7, 1 << 40, True, (1, 2, 3), ("ein", "zwei"), (), "grün", "\ufffd!")
    assert tuple(metadata[key] for key in extra) == expected


def test_tensors_are_placed_counted_and_weighed(tmp_path: Path) -> None:
    unnamed = {key: value for key, value in LLAMA.items() if key not in {"general.name", "general.file_type"}}
    header = read_header(write_gguf(tmp_path / "some-model.gguf", unnamed, TENSORS))
    assert [tensor.bytes for tensor in header.tensors] == [64 * 100 // 32 * 34, 256]
    assert header.tensors[0].offset % 32 == 0
    assert header.parameters == 64 * 100 + 64
    assert (header.name, header.quantization) == ("some-model", "Q8_0")


def test_a_file_that_is_no_model_is_refused_in_one_line(tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.gguf", tmp_path / "page.gguf"
    empty.touch()
    text.write_text("<!doctype html>")
    pipe = tmp_path / "pipe.gguf"
    os.mkfifo(pipe)
    for path, words in {
        tmp_path / "absent.gguf": "there is no such model file",
        tmp_path: "is a folder",
        empty: "is empty",
        text: "is not a GGUF file",
        pipe: "is not a file",
    }.items():
        with pytest.raises(ModelError, match=words) as caught:
            read_header(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf")
    path.chmod(0)
    with pytest.raises(ModelError, match="cannot be read: Permission denied"):
        read_header(path)


def test_versions_and_byte_order_are_checked(tmp_path: Path) -> None:
    for version, words in {1: "version 1", 4: "version 4", 3 << 24: "big-endian"}.items():
        with pytest.raises(ModelError, match=words):
            read_header(write_gguf(tmp_path / "m.gguf", version=version))


def test_missing_tensor_data_is_counted(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf", LLAMA, TENSORS, missing=1_000)
    with pytest.raises(
        ModelError, match=r"is cut short: 1,000 of [\d,]+ bytes are missing; download it again"
    ):
        read_header(path)


def test_every_length_of_header_is_refused_but_the_whole(tmp_path: Path) -> None:
    whole = write_gguf(tmp_path / "m.gguf", {**LLAMA, "a.texts": ["one", "two"]}).read_bytes()
    path = tmp_path / "cut.gguf"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError):
            read_header(path)
    path.write_bytes(whole)
    assert read_header(path).layers == 30


@pytest.mark.parametrize(
    "tensors",
    [
        [Tensor("a", (33,), 8)],
        [Tensor("a", (32,), 31)],
        [Tensor("a", (1, 1, 1, 1, 1))],
        [Tensor("a", (32,)), Tensor("a", (32,))],
        [Tensor("a", (32,), offset=64)],
        [Tensor("a", (32,)), Tensor("b", (32,), offset=32)],
    ],
    ids=["part of a block", "unknown type", "five dimensions", "one name twice", "moved", "overlapping"],
)
def test_damaged_tensors_are_refused(tmp_path: Path, tensors: list[Tensor]) -> None:
    with pytest.raises(ModelError, match="is damaged"):
        read_header(write_gguf(tmp_path / "m.gguf", LLAMA, tensors))


def test_a_tensor_beyond_all_sizes_is_refused(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf", LLAMA, [Tensor("a", (32, 32), 0)])
    raw = bytearray(path.read_bytes())
    at = raw.rindex((32).to_bytes(8, "little") * 2)
    for dims in ((1 << 62, 1 << 62), (0, 1 << 63)):
        raw[at : at + 16] = b"".join(dim.to_bytes(8, "little") for dim in dims)
        path.write_bytes(raw)
        with pytest.raises(ModelError, match="is damaged"):
            read_header(path)


def split_model(folder: Path, count: int, metadata: Mapping[str, object] = LLAMA) -> list[Path]:
    """A model in several files, each with one tensor."""
    return [
        write_gguf(
            folder / f"big-{number:05}-of-{count:05}.gguf",
            {**(metadata if number == 1 else {"general.architecture": "llama"}), "split.count": count},
            [Tensor(f"t{number}", (64,))],
        )
        for number in range(1, count + 1)
    ]


def test_a_model_in_several_files_is_read_as_one(tmp_path: Path) -> None:
    paths = split_model(tmp_path, 3)
    header = read_header(paths[0])
    assert [tensor.name for tensor in header.tensors] == ["t1", "t2", "t3"]
    assert header.bytes == sum(path.stat().st_size for path in paths)
    assert header.parameters == 192


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    paths = split_model(tmp_path, 3)
    paths[1].unlink()
    with pytest.raises(ModelError, match=r"big-00002-of-00003\.gguf is missing beside it"):
        read_header(paths[0])


def test_a_later_part_points_to_the_first(tmp_path: Path) -> None:
    paths = split_model(tmp_path, 2)
    with pytest.raises(ModelError, match=r"is part 2 of 2; name the first, big-00001-of-00002\.gguf"):
        read_header(paths[1])


def test_a_renamed_part_is_told_to_keep_its_name(tmp_path: Path) -> None:
    first = split_model(tmp_path, 2)[0].rename(tmp_path / "renamed.gguf")
    with pytest.raises(ModelError, match=r"must keep its name, …-00001-of-00002\.gguf"):
        read_header(first)


def test_a_fingerprint_names_the_contents(tmp_path: Path) -> None:
    def fingerprint(name: str, *, metadata: Mapping[str, object] = LLAMA, touch: int | None = None) -> str:
        path = write_gguf(tmp_path / name, metadata, TENSORS)
        if touch is not None:
            raw = bytearray(path.read_bytes())
            raw[touch] ^= 1
            path.write_bytes(raw)
        return read_header(path).fingerprint()

    same = fingerprint("a.gguf")
    assert fingerprint("b.gguf") == same
    assert fingerprint("c.gguf", metadata={**LLAMA, "general.name": "Another"}) != same
    assert fingerprint("d.gguf", touch=-200) != same


def test_a_vocabulary_fingerprint_looks_at_the_vocabulary_alone(tmp_path: Path) -> None:
    vocabulary = {"tokenizer.ggml.tokens": ["a", "b"], "tokenizer.ggml.model": "gpt2"}

    def fingerprint(changes: Mapping[str, object]) -> str:
        path = write_gguf(tmp_path / "m.gguf", {**LLAMA, **vocabulary, **changes})
        return read_header(path).vocabulary_fingerprint()

    same = fingerprint({})
    assert fingerprint({"general.name": "x", "tokenizer.chat_template": "{{ x }}"}) == same
    assert fingerprint({"tokenizer.ggml.tokens": ["a", "c"]}) != same
    assert fingerprint({"tokenizer.ggml.pre": "qwen2"}) != same


def test_an_array_that_claims_too_much_is_refused_at_once(tmp_path: Path) -> None:
    whole = write_gguf(tmp_path / "m.gguf", {**LLAMA, "z.list": ["aa", "bb"]}).read_bytes()
    count = whole.rindex(packed_text("aa")) - 8
    for claimed in (3, 1 << 30, 1 << 63):
        (tmp_path / "m.gguf").write_bytes(whole[:count] + claimed.to_bytes(8, "little") + whole[count + 8 :])
        with pytest.raises(ModelError, match=r"cut short|damaged"):
            read_header(tmp_path / "m.gguf")
