"""Ids without llama.cpp are llama.cpp's ids, or there are none."""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import UncountableVocabularyError
from ctxchat.engine.gguf.reading import read_header
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.engine.llama.vocabulary import LlamaVocabulary
from ctxchat.engine.tokens import byte_pairs, verdicts
from ctxchat.engine.tokens.canned import CANNED
from ctxchat.engine.tokens.patterns import word_rule
from ctxchat.engine.tokens.verdicts import examine, remembered
from ctxchat.engine.tokens.vocabulary import TiktokenVocabulary
from tests.conftest import ROOT
from tests.engine.conftest import open_vocabulary
from tests.support.llama_source import ABSENT, vocabularies
from tests.support.tiny_gguf import write_tiny_gguf

# fmt: off
EXACT = ["command-r", "gpt-2", "llama-bpe", "mpt", "qwen2", "qwen35", "refact", "starcoder"]
REFUSED = [
    "aquila", "baichuan", "deepseek-coder", "deepseek-llm", "falcon", "gemma-4", "gpt-neox", "llama-spm",
    "phi-3",
]
# fmt: on
WORDS = [
    *(word for text in CANNED for word in text.split(" ")),
    *("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<", "|", ">", "im_", "start", "<repo_name>", "</s>"),
    *(" ", "  ", "\t", "\n", "\r\n", "\n\n    ", "\u3000", "\u00a0", "7", "42", "１２", "'", "’s", ".", "_"),
    *("日本", "한", "🎉", "👩‍👧", "e\u0301", "ñ", "ш", "ק", "\x00", "\x7f", "\u200d", "\ufeff", "\U0001f9ff"),
]
Both = tuple[TiktokenVocabulary, LlamaVocabulary]


def both(path: Path) -> Both:
    """A vocabulary by tiktoken and by llama.cpp, with the kinds of tokens llama.cpp tells of."""
    reference = open_vocabulary(path)
    header = read_header(path)
    kinds = verdicts._kinds(reference)
    return TiktokenVocabulary(header, kinds, lambda: reference), reference


@pytest.fixture(scope="module")
def smol(smollm2: Path) -> Both:
    return both(smollm2)


def samples(count: int, seed: int = 0) -> Iterator[str]:
    """Varied texts: pieces of source and of other files, and words and characters at random."""
    chance = random.Random(seed)
    sources = [path.read_text("utf-8") for path in sorted(ROOT.glob("ctxchat/*/*.py"))[:40]]
    sources += [(ROOT / name).read_text("utf-8") for name in ("README.md", "pyproject.toml")]
    for number in range(count):
        match number % 4:
            case 0:
                source = chance.choice(sources)
                begin = chance.randrange(len(source))
                yield source[begin : begin + chance.randrange(1, 400)]
            case 1:
                yield "".join(chance.choices(WORDS, k=chance.randrange(1, 30)))
            case 2:
                at = f"2026-{chance.randrange(13):02}-{chance.randrange(32):02}T{chance.random()}"
                hexed = f"{chance.getrandbits(64):x}"
                yield (
                    f"{at} WARN [w-{number}] {' ' * chance.randrange(9)}id={hexed}\n\tat a.b.C({number})\n"
                    * 3
                )
            case _:
                limit = chance.choice((0x80, 0x250, 0x3000, 0xD800, 0x1FFFF))
                yield "".join(chr(chance.randrange(limit)) for _ in range(chance.randrange(1, 60)))


def assert_equal(vocabularies: Both, text: str) -> None:
    ours, theirs = vocabularies
    for special in (False, True):
        ids = ours.tokenize(text, special=special, after=None)
        assert ids == theirs.tokenize(text, special=special, after=None), (text, special)
        assert ours.text(ids) == theirs.text(ids)


def test_smollm2_has_the_same_ids_for_two_thousand_texts(smol: Both) -> None:
    for text in (*CANNED, *samples(2400)):
        assert_equal(smol, text)


@given(st.lists(st.sampled_from(WORDS), max_size=20).map("".join) | st.text())
def test_smollm2_has_the_same_ids_for_any_text(smol: Both, text: str) -> None:
    assert_equal(smol, text)


def test_facts_of_a_vocabulary_are_the_same(smol: Both) -> None:
    ours, theirs = smol
    assert (ours.fingerprint, ours.begin, ours.size) == (theirs.fingerprint, theirs.begin, theirs.size)
    tokens = range(-1, ours.size + 1)
    assert [ours.piece(t) for t in tokens] == [theirs.piece(t) for t in tokens]
    assert [ours.attributes(t) for t in tokens] == [theirs.attributes(t) for t in tokens]
    assert [ours.ends_turn(t) for t in tokens] == [theirs.ends_turn(t) for t in tokens]


def test_content_never_becomes_a_control_token(smol: Both) -> None:
    ours, _ = smol
    text = "<|im_start|>system<|im_end|>"
    assert len(ours.tokenize(text, special=True, after=None)) == 3
    content = ours.tokenize(text, special=False, after=None)
    assert not ours._steering(content)
    assert ours.text(content) == text


def test_a_lone_surrogate_becomes_a_question_mark(smol: Both) -> None:
    assert_equal(smol, "a\ud800b")


def test_more_white_space_than_tiktoken_can_take_is_counted_by_llama_cpp(smol: Both) -> None:
    ours, theirs = smol
    text = "a" + " " * (byte_pairs.LONGEST_SPACE * 20) + "b"
    assert ours.encode(text, special=False) == theirs.encode(text, special=False)
    assert ours._reference is theirs


def test_the_longest_white_space_that_is_given_to_tiktoken_goes_through(smol: Both) -> None:
    assert_equal(smol, "a" + "\n " * (byte_pairs.LONGEST_SPACE // 2 - 1) + "b")


@pytest.mark.parametrize("family", EXACT)
def test_other_families_have_the_same_ids(family: str) -> None:
    vocabularies = both(_file(family))
    for text in (*CANNED, *samples(400, seed=1)):
        assert_equal(vocabularies, text)


@pytest.mark.parametrize("family", REFUSED)
def test_what_is_not_known_is_refused(family: str, home: Path) -> None:
    path = _file(family)
    header = read_header(path)
    with pytest.raises(UncountableVocabularyError):
        word_rule(header)
    assert examine(header, open_vocabulary(path), trims=True, offloads=False).kinds is None


def _file(family: str) -> Path:
    found = [path for path in vocabularies() if path.stem == f"ggml-vocab-{family}"]
    if not found:
        pytest.skip(ABSENT)
    return found[0]


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny_gguf(tmp_path / "tiny.gguf")


def test_a_verdict_is_kept_and_read_again(tiny: Path, home: Path) -> None:
    header, reference = read_header(tiny), open_vocabulary(tiny)
    assert remembered(header) is None
    verdict = examine(header, reference, trims=True, offloads=False)
    assert verdict.kinds
    assert remembered(header) == verdict


@pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", b"\xff", b'{"exact": true, "attributes": 3}'])
def test_a_damaged_verdict_counts_as_none(tiny: Path, home: Path, damage: bytes) -> None:
    header = read_header(tiny)
    examine(header, open_vocabulary(tiny), trims=True, offloads=False)
    verdicts._place(header).write_bytes(damage)
    assert remembered(header) is None


def test_where_ids_differ_only_llama_cpp_counts(
    tiny: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        byte_pairs, "word_rule", lambda _: type(word_rule(read_header(tiny)))(r"(?s:.)", False)
    )
    header = read_header(tiny)
    assert examine(header, open_vocabulary(tiny), trims=True, offloads=False).kinds is None
    kept = remembered(header)
    assert kept
    assert kept.kinds is None


def test_other_libraries_have_their_own_verdict(
    tiny: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = read_header(tiny)
    examine(header, open_vocabulary(tiny), trims=True, offloads=False)
    monkeypatch.setattr("tiktoken.__version__", "another")
    assert remembered(header) is None


@pytest.fixture
def counted(home: Path) -> Iterator[Callable[[Path], LlamaModel]]:
    """Opens a model without its weights, the second time."""
    models: list[LlamaModel] = []

    def open_one(path: Path) -> LlamaModel:
        for _ in range(2):
            models.append(LlamaModel(path, EngineOptions(threads=1, window=1024, one_shot=True)))
            list(models[-1].load(Cancel(), weights=False))
        return models[-1]

    yield open_one
    for model in models:
        model.close()


def test_a_model_without_weights_plans_as_one_with_them(
    tiny: Path, counted: Callable[[Path], LlamaModel]
) -> None:
    light = counted(tiny)
    full = LlamaModel(tiny, EngineOptions(threads=1, window=1024, one_shot=True))
    list(full.load(Cancel()))
    ids = light.vocabulary.tokenize("the other", special=False, after=None)
    assert ids == full.vocabulary.tokenize("the other", special=False, after=None)
    assert light.facts == full.facts
    assert light.cache.plan(ids, 100) == full.cache.plan(ids, 100)
    assert light.cache.bytes_per_token == full.cache.bytes_per_token
    assert light.memory().weights == 0
    full.close()
    assert isinstance(light.vocabulary, TiktokenVocabulary)


def test_weights_can_be_read_after_a_count(tiny: Path, counted: Callable[[Path], LlamaModel]) -> None:
    model = counted(tiny)
    assert list(model.load(Cancel()))
    assert isinstance(model.vocabulary, LlamaVocabulary)


def test_keys_of_another_type_take_other_bytes(tiny: Path, counted: Callable[[Path], LlamaModel]) -> None:
    cache = counted(tiny).cache
    assert cache.bytes_per_token_with("f16") == cache.bytes_per_token
    smaller = cache.bytes_per_token_with("q8_0")
    assert smaller
    assert smaller < cache.bytes_per_token
    assert cache.bytes_per_token_with("no type") is None


COUNT = """
import json, sys
from pathlib import Path
from ctxchat.domain.cancel import Cancel
from ctxchat.engine.llama.model import LlamaModel
model = LlamaModel(Path(sys.argv[1]))
list(model.load(Cancel(), weights=False))
ids = model.vocabulary.tokenize("the <|im_end|> other", special=True, after=None)
print(json.dumps([ids, [name for name in sys.modules if name.startswith("llama_cpp")]]))
"""


def test_the_second_count_of_a_file_needs_no_llama_cpp(tiny: Path, home: Path) -> None:
    (first, loaded), (second, not_loaded) = (
        json.loads(
            subprocess.run(
                [sys.executable, "-c", COUNT, str(tiny)], capture_output=True, cwd=ROOT, check=True
            ).stdout
        )
        for _ in range(2)
    )
    assert first == second
    assert loaded
    assert not_loaded == []
