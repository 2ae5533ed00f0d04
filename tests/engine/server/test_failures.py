"""What a server does wrong is told in one line, and what may pass is tried again."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import CtxChatError, EngineError, ModelError, PromptTooLargeError
from ctxchat.domain.events import EngineEvent, TextGenerated, Warned
from ctxchat.engine.server import generation as server_generation
from ctxchat.engine.server import thread as server_thread
from ctxchat.engine.server.model import ServerModel
from tests.engine.server.conftest import Load
from tests.support.server_models import last, question, server_options, told
from tests.support.servers.double import Double
from tests.support.servers.faults import (
    Drop,
    Fault,
    Garble,
    Hold,
    Refuse,
    Within,
    loading,
    not_json,
    proxy_page,
    redirect,
    too_many,
)
from tests.support.servers.llama_double import LlamaDouble
from tests.support.servers.openai_double import OpenAiDouble
from tests.support.servers.real import free_port
from tests.support.servers.vllm_double import VllmDouble

SAID = "one two three four five"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_generation, "pause", _soon)


def _soon(*given: object, **more: object) -> float | None:
    from ctxchat.engine.patience import pause

    seconds = pause(*given, **more)  # type: ignore[arg-type]
    return None if seconds is None else 0.001


@pytest.mark.parametrize("fault", [too_many(), too_many(None), loading(), Drop(None), Drop(0)])
def test_what_may_pass_is_tried_again_and_said(double: Double, model: ServerModel, fault: Fault) -> None:
    double.faults += [fault, fault]
    double.backing.says += [SAID] * 3
    events = told(model, question(model, limit=200))
    assert last(events).text == SAID
    warned = [event.message for event in events if isinstance(event, Warned)]
    assert len(warned) == 2
    assert all(double.url in line and "asking again in" in line for line in warned)


def test_it_is_given_up_after_some_tries(double: Double, model: ServerModel) -> None:
    double.faults += [too_many()] * 10
    with pytest.raises(EngineError, match=r"too much to do.*429.*ask again later"):
        told(model, question(model))


def test_who_asks_for_too_much_patience_is_told_of_at_once(double: Double, model: ServerModel) -> None:
    double.faults.append(too_many("3600"))
    with pytest.raises(EngineError, match="asks to wait 3600 s, and more than 60 are not waited"):
        told(model, question(model))


def test_a_cancel_ends_the_waiting(
    double: Double, model: ServerModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_generation, "pause", lambda *_, **__: 50.0)
    double.faults.append(too_many())
    cancel = Cancel()
    events: list[EngineEvent] = []
    for event in model.generate(question(model), cancel):
        events.append(event)
        if isinstance(event, Warned):
            cancel.request()
    assert last(events).finish == "cancelled"


@pytest.mark.parametrize("within", list(Within))
def test_once_something_was_shown_nothing_is_tried_again(
    double: Double, model: ServerModel, within: Within
) -> None:
    double.faults.append(Drop(6, within))
    double.backing.says.append("größer und größer als größte Größe")
    with pytest.raises(EngineError, match=r"broke off.*is kept"):
        told(model, question(model, limit=200))
    assert len(double.answers) == 1


def test_what_was_said_before_it_broke_off_was_shown(double: Double, model: ServerModel) -> None:
    double.faults.append(Drop(6))
    double.backing.says += [SAID, "again"]
    seen: list[EngineEvent] = []
    with pytest.raises(EngineError):
        seen.extend(model.generate(question(model, limit=200), Cancel()))
    shown = "".join(event.text for event in seen if isinstance(event, TextGenerated))
    assert shown
    assert SAID.startswith(shown)
    assert last(told(model, question(model, limit=200))).text == "again"


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (Garble(2), "broke off: what came is no answer of such a server"),
        (proxy_page(), r"refused the request \(502: a web page came"),
        (redirect("https://elsewhere.example/v1"), "it sends to https://elsewhere.example/v1"),
        (not_json(), "is no answer: it works!"),
        (Refuse(403, b'{"error": "no"}'), r"wants another key: no; set the key of \[server\]"),
        (Refuse(404, b'{"detail": "gone"}'), "has no model"),
        (Refuse(500, b"boom\n\nat line 3"), r"refused the request \(500: boom at line 3\)"),
        (Refuse(418, b""), r"refused the request \(418\)"),
    ],
)
def test_each_failure_is_told_in_one_line(
    double: Double, model: ServerModel, fault: Fault, line: str
) -> None:
    double.faults.append(fault)
    double.backing.says.append(SAID)
    with pytest.raises(EngineError, match=line) as raised:
        told(model, question(model, limit=200))
    assert "\n" not in str(raised.value)


def test_a_server_that_says_nothing_is_given_up(double: Double, model: ServerModel) -> None:
    connection = model._server().connection
    connection._options = replace(connection._options, timeout=0.3)
    double.faults.append(Hold(None))
    with pytest.raises(EngineError, match=r"longer than the timeout of \[server\]"):
        told(model, question(model))


def test_a_key_that_is_refused_is_named_by_its_setting_and_not_shown(
    openai_double: OpenAiDouble, load: Load
) -> None:
    secret = "sk-secret-of-mine"
    openai_double.faults_elsewhere.append(
        Refuse(401, b'{"error": {"message": "Incorrect API key provided: sk-secret-of-mine"}}')
    )
    with pytest.raises(ModelError, match=r"key of \[server\]") as raised:
        load(openai_double.url, key=secret)
    assert "secret" not in str(raised.value)
    assert "secret" not in repr(server_options(openai_double.url, "", key=secret))  # type: ignore[arg-type]


def test_the_key_goes_with_every_request(openai_double: OpenAiDouble, load: Load) -> None:
    model = load(openai_double.url, key=openai_double.key, headers={"X-Team": "blue"})
    told(model, question(model))
    assert {one.headers.get("authorization") for one in openai_double.seen} == {f"Bearer {openai_double.key}"}
    assert {one.headers.get("x-team") for one in openai_double.seen} == {"blue"}


def test_where_nothing_listens_it_is_said_how_to_go_on(load: Load) -> None:
    with pytest.raises(ModelError, match=r"nothing answers at http://127.0.0.1:\d+ .*start the server"):
        load(f"http://127.0.0.1:{free_port()}")


def test_a_model_that_is_not_there_is_told_with_those_that_are(vllm_double: VllmDouble, load: Load) -> None:
    with pytest.raises(ModelError, match=r"has no model tinny: .* one of tiny"):
        load(vllm_double.url, model="tinny")


def test_a_prompt_beyond_the_window_is_refused_before_it_is_sent(vllm_double: VllmDouble, load: Load) -> None:
    model = load(vllm_double.url)
    with pytest.raises(PromptTooLargeError, match="takes 512 with the answer"):
        told(model, question(model, "a b c d " * 200))
    assert vllm_double.answers == []


def test_a_prompt_that_a_hosted_api_finds_too_long_is_told_as_such(
    openai_double: OpenAiDouble, load: Load
) -> None:
    model = load(openai_double.url, key=openai_double.key)
    with pytest.raises(PromptTooLargeError, match="maximum context length is 512"):
        told(model, question(model, "a b c d " * 300))


def test_what_llama_server_finds_too_long_is_told_as_such(llama_double: LlamaDouble, load: Load) -> None:
    model = load(llama_double.url)
    llama_double.faults.append(
        Refuse(
            400,
            b'{"error":{"code":400,"message":"request (600 tokens) exceeds the available context size '
            b'(512 tokens), try increasing it","type":"exceed_context_size_error"}}',
        )
    )
    with pytest.raises(PromptTooLargeError, match="exceeds the available context size"):
        told(model, question(model))


def test_a_window_that_is_less_than_what_was_set_is_called_out(
    vllm_double: VllmDouble, tmp_path: Path
) -> None:
    model = ServerModel(server_options(vllm_double.url, tmp_path, window=4096))
    warned = [event.message for event in model.load(Cancel()) if isinstance(event, Warned)]
    model.close()
    assert len(warned) == 1
    assert "gives a window of 512 tokens and not the 4,096" in warned[0]


def test_every_failure_is_one_a_person_can_be_told(double: Double, model: ServerModel) -> None:
    double.faults.append(Refuse(200, b"data: [1]\n\n", {"Content-Type": "text/event-stream"}))
    with pytest.raises(CtxChatError):
        told(model, question(model))


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("max_tokens", b"Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
        ("temperature", b"Unsupported value: 'temperature' does not support 0 with this model."),
        ("stream_options", b"Unrecognized request argument supplied: stream_options"),
    ],
)
def test_what_a_hosted_model_refuses_is_said_otherwise_or_left_out(
    openai_double: OpenAiDouble, load: Load, name: str, refused: bytes
) -> None:
    model = load(openai_double.url, key=openai_double.key)
    openai_double.faults.append(Refuse(400, b'{"error": {"message": "%s"}}' % refused))
    told(model, question(model))
    told(model, question(model))
    first, *later = openai_double.asked("/v1/chat/completions")
    assert name in first
    assert len(later) == 2
    assert not any(name in body for body in later)


def test_a_connection_that_was_closed_meanwhile_is_made_again_without_a_word(
    double: Double, model: ServerModel
) -> None:
    told(model, question(model))
    double.faults.append(Drop(None))
    assert not any(isinstance(event, Warned) for event in told(model, question(model)))


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes no more connections, and refuses none."""
    with ExitStack() as held:
        server = held.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(3):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def test_a_cancel_does_not_wait_for_a_connection_to_be_made(
    silent_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_thread, "PATIENCE", 0.01)
    model = ServerModel(server_options(f"http://127.0.0.1:{silent_port}", tmp_path))
    cancel = Cancel()
    loading = model.load(cancel)
    next(loading)
    threading.Timer(0.1, cancel.request).start()
    assert list(loading) == []
    with pytest.raises(EngineError, match="not loaded"):
        _ = model.facts
