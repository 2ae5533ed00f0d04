"""Turns with the real small model, wired as the command line wires them."""

from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Role
from ctxchat.domain.events import PromptBuilt, TurnFinished
from ctxchat.domain.receipt import Receipt
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.gguf.reading import read_header
from ctxchat.service import wiring
from ctxchat.service.chat import ChatService
from ctxchat.service.request import AskRequest
from ctxchat.settings.load import load_settings
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database

pytestmark = pytest.mark.model
QUESTIONS = ("Tell me about the sea.", "And the 3 largest ships? 😀", "  Why\n\n\tso?  ")
HOT = Sampling(temperature=1.5, top_k=0, top_p=1.0, min_p=0.0, seed=7, max_tokens=24)


def service(model: Path) -> ChatService:
    flags = {"model.path": str(model), "model.threads": 1, "model.threads_batch": 1}
    return wiring.chat_service(load_settings(flags))


def turn(chat: ChatService, question: str) -> tuple[tuple[int, ...], Receipt]:
    """The ids of the prompt, and the receipt."""
    events = list(chat.ask(AskRequest(question, resume=True, sampling=HOT), Cancel()))
    (prompt,) = (event.prompt for event in events if isinstance(event, PromptBuilt))
    last = events[-1]
    assert isinstance(last, TurnFinished)
    assert last.receipt.error is None
    return prompt.ids, last.receipt


def answers(home: Path, vocabulary: str) -> Iterator[tuple[int, ...]]:
    record = SqliteConversations(Database(home / "data" / "ctxchat" / wiring.STORE_FILE))
    latest = record.latest()
    assert latest
    for message in record.path(latest.id, vocabulary):
        if message.role is Role.ASSISTANT:
            yield tuple(i for segment in message.segments for i in segment.ids or ())


@pytest.mark.parametrize("reopened", [False, True], ids=["one process", "a new one each turn"])
def test_a_prompt_extends_the_last_one_and_its_answer_however_hot_that_was(
    home: Path, smollm2: Path, reopened: bool
) -> None:
    """What was sampled at temperature 1.5 is often not how its text would be tokenized."""
    chat, prompts, receipts = service(smollm2), [], []
    for question in QUESTIONS:
        if reopened:
            chat.close()
            chat = service(smollm2)
        ids, receipt = turn(chat, question)
        prompts.append(ids)
        receipts.append(receipt)
    chat.close()
    fingerprint = read_header(smollm2).vocabulary_fingerprint()
    for former, answer, ids in zip(prompts, answers(home, fingerprint), prompts[1:], strict=False):
        assert ids[: len(former) + len(answer)] == former + answer
    for former, receipt in pairwise(receipts):
        assert former.kv
        assert receipt.kv
        assert receipt.kv.reused == (0 if reopened else former.kv.cells)
        assert (receipt.kv.miss is None) == (not reopened)


def test_the_receipt_of_the_real_model_is_exact(home: Path, smollm2: Path) -> None:
    with closing(service(smollm2)) as chat:
        ids, receipt = turn(chat, "Hello?")
    assert receipt.prompt
    assert receipt.kv
    assert sum(receipt.prompt.sections.values()) == receipt.prompt.total == len(ids)
    assert receipt.kv.reused + receipt.kv.evaluated == len(ids)
    assert receipt.kv.bytes_per_token == 23_040
    assert receipt.attention_pairs == sum(range(1, len(ids) + 1)) * 30
    assert receipt.memory
    assert receipt.memory.kv == receipt.kv.capacity * 23_040
