"""The table that embeds: what it says of texts, and what it says when it is damaged."""

import json
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxchat.domain.errors import ModelError
from ctxchat.store.static_embedding import SHIPPED, TOKENS_AT_ONCE, StaticEmbedder


@pytest.fixture(scope="module")
def embedder() -> StaticEmbedder:
    return StaticEmbedder()


def cosine(one: bytes, other: bytes) -> float:
    return float(np.frombuffer(one, "<f2").astype(float) @ np.frombuffer(other, "<f2").astype(float))


def test_texts_about_the_same_are_near(embedder: StaticEmbedder) -> None:
    question, answer, other = embedder.embed(
        [
            "Which dog did she adopt from the shelter?",
            "We took a puppy home.",
            "The parser rejects an empty header.",
        ]
    )
    assert cosine(question, answer) > cosine(question, other) + 0.2


def test_case_and_accents_make_no_difference(embedder: StaticEmbedder) -> None:
    plain, other = embedder.embed(["resume of the cafe", "RÉSUMÉ of the Café"])
    assert plain == other


def test_all_of_a_long_text_counts(embedder: StaticEmbedder) -> None:
    begun, whole = embedder.embed(
        ["the sea " * TOKENS_AT_ONCE, "the sea " * TOKENS_AT_ONCE + "engine " * 20_000]
    )
    assert begun != whole


def test_a_vector_is_the_sum_of_weighted_rows(embedder: StaticEmbedder) -> None:
    sea, engine, both = (
        np.frombuffer(v, "<f2").astype(float) for v in embedder.embed(["sea", "engine", "sea engine"])
    )
    plane = np.linalg.lstsq(np.stack([sea, engine], axis=1), both)[0]
    assert (plane > 0).all()
    assert np.allclose(np.stack([sea, engine], axis=1) @ plane, both, atol=2e-3)


@given(texts=st.lists(st.text(max_size=80), max_size=12))
def test_texts_do_not_touch_one_another(embedder: StaticEmbedder, texts: list[str]) -> None:
    assert embedder.embed(texts) == [embedder.embed([text])[0] for text in texts]


def test_another_table_is_another_space(tmp_path: Path, embedder: StaticEmbedder) -> None:
    changed = copy_of_shipped(tmp_path)
    content = bytearray((changed / "model.safetensors").read_bytes())
    content[-300_000] ^= 1
    (changed / "model.safetensors").write_bytes(content)
    assert StaticEmbedder(changed).space != embedder.space
    assert StaticEmbedder().space == embedder.space


def header_says(**told: object) -> Callable[[bytes], bytes]:
    def change(_: bytes) -> bytes:
        header = json.dumps({"embeddings": told}).encode()
        return len(header).to_bytes(8, "little") + header + bytes(64)

    return change


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut in the length": lambda content: content[:5],
    "cut in the header": lambda content: content[:60],
    "cut in the rows": lambda content: content[:-1000],
    "an endless header": lambda content: b"\xff" * 8 + content[8:],
    "a header that is no JSON": lambda content: content[:8] + b"#" * 200 + content[208:],
    "a header that is a list": lambda _: (2).to_bytes(8, "little") + b"[]",
    "a header of brackets": lambda _: (100_000).to_bytes(8, "little") + b"[" * 100_000,
    "no arrays": lambda _: (2).to_bytes(8, "little") + b"{}",
    "an array outside the file": header_says(dtype="I8", shape=[8, 16], data_offsets=[0, 128]),
    "an array before the file": header_says(dtype="I8", shape=[8, 8], data_offsets=[-64, 0]),
    "an array of negative size": header_says(dtype="I8", shape=[-8, -8], data_offsets=[0, 64]),
    "an array of another type": header_says(dtype="Q3", shape=[8, 8], data_offsets=[0, 64]),
    "offsets that are words": header_says(dtype="I8", shape=[8, 8], data_offsets=["a", "b"]),
    "a shape that is a word": header_says(dtype="I8", shape="wide", data_offsets=[0, 64]),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_table_is_said_in_one_line(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    folder = copy_of_shipped(tmp_path)
    path = folder / "model.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match=r"model\.safetensors [^\n]*: reinstall ctxchat$"):
        StaticEmbedder(folder)


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    folder = copy_of_shipped(tmp_path)
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-4] + struct.pack("<f", float("nan")))
    with pytest.raises(ModelError, match="no numbers"):
        StaticEmbedder(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_said_in_one_line(tmp_path: Path, name: str) -> None:
    folder = copy_of_shipped(tmp_path)
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} cannot be read"):
        StaticEmbedder(folder)


@pytest.mark.parametrize("text", ["", "{}", '{"model": 3}'])
def test_a_damaged_tokenizer_is_said_in_one_line(tmp_path: Path, text: str) -> None:
    folder = copy_of_shipped(tmp_path)
    (folder / "tokenizer.json").write_text(text)
    with pytest.raises(ModelError, match=r"tokenizer\.json is cut short or damaged"):
        StaticEmbedder(folder)


def test_a_tokenizer_of_another_table_is_refused(tmp_path: Path) -> None:
    folder = copy_of_shipped(tmp_path)
    told = json.loads((folder / "tokenizer.json").read_text())
    told["model"]["vocab"].popitem()
    (folder / "tokenizer.json").write_text(json.dumps(told))
    with pytest.raises(ModelError, match="do not belong together"):
        StaticEmbedder(folder)


def test_it_starts_no_threads_and_forks_in_silence() -> None:
    script = """
import os, threading
from ctxchat.store.static_embedding import StaticEmbedder
embedder = StaticEmbedder()
embedder.embed(["a few words"] * 5000)
child = os.fork()
embedder.embed(["a few words"] * 10)
if child:
    assert os.waitpid(child, 0)[1] == 0
    print(threading.active_count(), len(os.listdir("/proc/self/task")))
os._exit(0) if not child else None
"""
    environment = {"OPENBLAS_NUM_THREADS": "1", "PATH": "/usr/bin"}
    run = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (run.stdout, run.stderr, run.returncode) == ("1 1\n", "", 0)


def copy_of_shipped(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "embedding"))
