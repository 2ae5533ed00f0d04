"""A server that dies in the middle of an answer, is away for a while, and comes back."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish, Message, Role
from ctxchat.domain.events import TextGenerated, TurnFinished
from ctxchat.domain.receipt import Receipt
from ctxchat.domain.sampling import Sampling
from ctxchat.service import wiring
from ctxchat.service.chat import ChatService
from ctxchat.service.request import AskRequest
from ctxchat.settings.load import load_settings
from tests.support.servers.backing import Backing
from tests.support.servers.double import Double, running
from tests.support.servers.faults import Drop
from tests.support.servers.llama_double import LlamaDouble
from tests.support.servers.real import RealServer
from tests.support.servers.vllm_double import VllmDouble

SAID = "Herons nest by mills, and in old willows."


@pytest.fixture
def chat(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ChatService]]:
    """Makes chats with servers, which try to connect once: what they wait for between is tested elsewhere."""
    monkeypatch.setattr("ctxchat.engine.server.generation.CONNECTS", 1)
    made: list[ChatService] = []

    def make(url: str) -> ChatService:
        settings = load_settings({"server.url": url, "model.path": "server"})
        made.append(wiring.chat_service(settings, one_shot=False))
        return made[-1]

    yield make
    for service in made:
        service.close()


def ask(chat: ChatService, question: str, at: int = 0, then: Callable[[], None] = lambda: None) -> Receipt:
    """A turn; `then` is done behind so many pieces of its answer."""
    request = AskRequest(question, session="talk", sampling=Sampling(temperature=0, max_tokens=300))
    pieces = 0
    for event in chat.ask(request, Cancel()):
        pieces += isinstance(event, TextGenerated)
        if isinstance(event, TextGenerated) and pieces == at:
            then()
        if isinstance(event, TurnFinished):
            return event.receipt
    raise AssertionError("the turn has no end")


def on_record() -> tuple[Message, ...]:
    return wiring.conversation_service(load_settings({})).transcript("talk").messages


def told(receipt: Receipt) -> str:
    assert receipt.error
    assert receipt.finish is Finish.ERROR
    return receipt.error.message


@pytest.mark.parametrize("kind", [VllmDouble, LlamaDouble])
def test_what_was_said_is_kept_and_nothing_is_lost_while_it_is_away(
    kind: type[Double], backing: Backing, chat: Callable[[str], ChatService]
) -> None:
    backing.says[:] = [SAID, "So it is."]
    with running(kind(backing)) as double:
        service, port = chat(double.url), urlsplit(double.url).port
        double.faults.append(Drop(12))
        broken = ask(service, "Where do herons nest?")
    assert broken.answer
    assert SAID.startswith(broken.answer)
    assert "broke off" in told(broken)
    assert "what it said is kept, and it can be asked again" in told(broken)
    away = ask(service, "Are you there?")
    assert f"nothing answers at {double.url}" in told(away)
    assert "start the server" in told(away)
    with running(double, port or 0):
        back = ask(service, "And now?")
    assert (back.answer, back.finish, back.error) == ("So it is.", Finish.STOP, None)
    assert back.prompt
    assert back.counted == back.prompt.total
    messages = on_record()
    assert [m.spoken for m in messages if m.role is Role.USER] == [
        "Where do herons nest?",
        "Are you there?",
        "And now?",
    ]
    assert [m.spoken for m in messages if m.role is Role.ASSISTANT] == [broken.answer, "So it is."]


@pytest.mark.model
def test_a_real_server_is_killed_and_started_again(
    smollm2_llama_server: RealServer, chat: Callable[[str], ChatService]
) -> None:
    server = smollm2_llama_server
    service = chat(server.url)
    try:
        broken = ask(service, "Count from one to one hundred, in words.", 3, server.kill)
        away = ask(service, "Are you there?")
    finally:
        server.restart()
    assert "broke off" in told(broken)
    assert f"nothing answers at {server.url}" in told(away)
    back = ask(service, "And then?")
    assert back.error is None
    assert back.answer
    assert back.prompt
    assert back.counted == back.prompt.total
    assert [m.spoken for m in on_record() if m.role is Role.ASSISTANT] == [broken.answer, back.answer]
