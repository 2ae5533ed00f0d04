"""The same long conversation, whoever runs the model: the same prompts, and what servers count of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ctxchat.display.ledger import spent
from tests.support.server_talks import Talked, Talks
from tests.support.servers.backing import Backing
from tests.support.servers.double import running
from tests.support.servers.llama_double import LlamaDouble
from tests.support.servers.openai_double import OpenAiDouble
from tests.support.servers.real import RealServer
from tests.support.servers.vllm_double import VllmDouble

TURNS, WINDOW, ANSWER = 40, 1400, 12


@pytest.fixture(scope="module")
def wide(served_gguf: Path) -> Iterator[Backing]:
    """The tiny model in a window that holds a few turns and what is recalled of others."""
    backing = Backing(served_gguf, WINDOW)
    yield backing
    backing.close()


@pytest.fixture
def talks(home: Path, monkeypatch: pytest.MonkeyPatch) -> Talks:
    return Talks(home, monkeypatch, window=WINDOW, answer=ANSWER)


def says(backing: Backing) -> None:
    """Set what is answered: of random weights comes what is no text, of which llama-server loses ids."""
    backing.says[:] = [f"I noted {number}." for number in range(2 * TURNS)]


def folds_and_recalls(talked: Talked) -> bool:
    return talked.folded > 0 and talked.recalled > 0


def test_a_conversation_is_the_same_at_both_kinds_of_servers_and_here(talks: Talks, wide: Backing) -> None:
    says(wide)
    with running(VllmDouble(wide)) as vllm:
        first = talks.at_server(vllm.url, TURNS, wide.path)
    says(wide)
    with running(LlamaDouble(wide)) as llama:
        second = talks.at_server(llama.url, TURNS)
    here = talks.at_local_engine(wide.path, TURNS, first.answers)
    assert len(first.prompts) == TURNS
    assert folds_and_recalls(first)
    assert first.sent == second.sent == here.sent
    assert first.counts == second.counts == [prompt.total for prompt in here.prompts]


def test_a_vocabulary_that_only_the_server_has_makes_the_same_prompts(talks: Talks, wide: Backing) -> None:
    with running(VllmDouble(wide)) as vllm:
        says(wide)
        by_file = talks.at_server(vllm.url, 8, wide.path)
        says(wide)
        by_server = talks.at_server(vllm.url, 8)
    assert by_file.sent == by_server.sent


def test_an_api_of_messages_counts_otherwise_and_the_receipt_says_so(talks: Talks, wide: Backing) -> None:
    says(wide)
    with running(OpenAiDouble(wide)) as api:
        api.key = None
        talked = talks.at_server(api.url, TURNS)
    assert talked.folded
    assert all(talked.counts)
    for receipt, counted in zip(talked.receipts, talked.counts, strict=True):
        assert receipt.prompt
        assert not receipt.prompt.exact
        told = dict(spent(receipt)).get("server", "")
        expected = f"counted {counted:,} tokens, ~{receipt.prompt.total:,} here: its chat template"
        assert told.startswith(expected) or counted == receipt.prompt.total


@pytest.fixture
def small_talks(home: Path, monkeypatch: pytest.MonkeyPatch) -> Talks:
    """In a window in which SmolLM2 has to fold soon."""
    return Talks(home, monkeypatch, window=256, answer=ANSWER)


@pytest.mark.model
def test_llama_server_counts_as_we_do(
    small_talks: Talks, smollm2_llama_server: RealServer, smollm2: Path
) -> None:
    talked = small_talks.at_server(smollm2_llama_server.url, 9)
    here = small_talks.at_local_engine(smollm2, 9, talked.answers)
    assert talked.folded
    assert talked.sent == here.sent
    assert talked.counts == [prompt.total for prompt in here.prompts]


@pytest.mark.model
def test_a_conversation_goes_on_at_the_python_server(small_talks: Talks, python_server: RealServer) -> None:
    talked = small_talks.at_server(python_server.url, 9)
    assert talked.folded
    assert all(receipt.answer for receipt in talked.receipts)
    assert not any(prompt.exact for prompt in talked.prompts)
