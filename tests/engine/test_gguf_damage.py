"""Whatever bytes a file holds: a header, or ModelError; never another exception, never long."""

import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxchat.domain.errors import ModelError
from ctxchat.engine.gguf.checks import check_vocabulary
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.gguf.kv_size import bytes_per_token
from ctxchat.engine.gguf.reading import read_header
from ctxchat.engine.template.chat_template import template_of
from tests.support.header_writer import LLAMA, Tensor, write_gguf

METADATA = {
    **LLAMA,
    "llama.attention.head_count_kv": [3] * 30,
    "llama.attention.sliding_window_pattern": [True] * 30,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.tokens": [f"token {number}" for number in range(300)],
    "tokenizer.ggml.token_type": [1] * 300,
    "tokenizer.ggml.bos_token_id": 1,
    "tokenizer.chat_template": "{{ messages }}",
}
TENSORS = (Tensor("token_embd.weight", (64, 4), 8), Tensor("output_norm.weight", (64,)))

EXTREMES = [0, 1, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**63, 2**64 - 1]


Damage = Callable[[bytes], bytes]


def flipped(place: float, bit: int) -> Damage:
    def damage(raw: bytes) -> bytes:
        at = int(place * len(raw))
        return raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :] if raw else raw

    return damage


def overwritten(place: float, number: int, size: int) -> Damage:
    def damage(raw: bytes) -> bytes:
        at = int(place * len(raw))
        return raw[:at] + (number & (1 << 8 * size) - 1).to_bytes(size, "little") + raw[at + size :]

    return damage


def cut(place: float) -> Damage:
    return lambda raw: raw[: int(place * len(raw))]


places = st.floats(0, 1, exclude_max=True)
damages = st.one_of(
    st.builds(flipped, places, st.integers(0, 7)),
    st.builds(overwritten, places, st.sampled_from(EXTREMES), st.sampled_from([4, 8])),
    st.builds(cut, places),
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_gguf(tmp_path_factory.mktemp("whole") / "m.gguf", METADATA, TENSORS).read_bytes()


def ask_everything(header: GgufHeader) -> None:
    """Use each part of a header that was accepted."""
    assert header.parameters >= 0
    assert header.name
    assert header.quantization
    assert header.fingerprint() != header.vocabulary_fingerprint()
    assert bytes_per_token(header, "f16", "f16") >= 0
    assert template_of(header).origin
    for value in header.metadata.values():
        if not isinstance(value, str | int | float):
            list(value)  # type: ignore[call-overload]
    with suppress(ModelError):
        check_vocabulary(header)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=st.lists(damages, min_size=1, max_size=4))
def test_a_damaged_header_is_read_or_refused(whole: bytes, tmp_path: Path, damage: list[Damage]) -> None:
    raw = whole
    for hurt in damage:
        raw = hurt(raw)
    path = tmp_path / "m.gguf"
    path.write_bytes(raw)
    with suppress(ModelError):
        ask_everything(read_header(path))


def test_a_whole_header_answers_everything(whole: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(whole)
    ask_everything(read_header(tmp_path / "m.gguf"))


@pytest.mark.parametrize("claimed", [2**20, 2**26, 2**32, 2**62])
def test_a_claim_costs_no_memory(whole: bytes, tmp_path: Path, claimed: int) -> None:
    """A file of a gigabyte of zeros, whose arrays claim all of it and more."""
    count = whole.index(b"token 0") - 16
    path = tmp_path / "m.gguf"
    path.write_bytes(whole[:count] + claimed.to_bytes(8, "little"))
    with path.open("r+b") as file:
        file.truncate(1 << 30)
    tracemalloc.start()
    try:
        with pytest.raises(ModelError):
            read_header(path)
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()
