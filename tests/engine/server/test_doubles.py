"""The doubles do what they say they do: their numbers, their streams, and what goes wrong with them."""

import http.client
import json
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.chat_templates import KEEPS_REASONING
from tests.support.servers.backing import Backing
from tests.support.servers.double import running
from tests.support.servers.faults import Drop, Framing, Garble, Hold, Within, fails, loading, too_many
from tests.support.servers.llama_double import LlamaDouble
from tests.support.servers.openai_double import KEY, OpenAiDouble
from tests.support.servers.plain_client import call, exchanged, stream
from tests.support.servers.vllm_double import VllmDouble
from tests.support.tiny_gguf import Shape, write_tiny_gguf

GREEDY = {"temperature": 0, "max_tokens": 8}
PROMPT = list(range(40, 100))


def test_llama_server_tells_ids_counts_and_what_was_cached(llama_double: LlamaDouble) -> None:
    asked = {"prompt": PROMPT, "temperature": 0, "n_predict": 8, "return_tokens": True}
    _, first = call(llama_double.url, "/completion", asked)
    assert (first["tokens_evaluated"], first["timings"]["cache_n"], len(first["tokens"])) == (60, 0, 8)

    longer = {**asked, "prompt": [*PROMPT, *first["tokens"], 50, 51]}
    _, second = call(llama_double.url, "/completion", longer)
    assert second["timings"]["cache_n"] == 60 + 7
    assert second["timings"]["prompt_n"] == 3


def test_llama_server_streams_an_id_with_each_event(llama_double: LlamaDouble) -> None:
    asked = {"prompt": PROMPT, "temperature": 0, "n_predict": 8, "return_tokens": True}
    _, whole = call(llama_double.url, "/completion", asked)
    *partials, final = stream(llama_double.url, "/completion", asked)
    told = {event["tokens_predicted"]: event["tokens"][0] for event in partials}
    assert all(whole["tokens"][number - 1] == token for number, token in told.items())
    assert whole["content"].startswith("".join(event["content"] for event in partials))
    assert (final["stop_type"], final["timings"]["predicted_n"]) == ("limit", 8)


def test_llama_server_refuses_what_is_over_its_window(llama_double: LlamaDouble) -> None:
    status, told = call(llama_double.url, "/completion", {"prompt": [40] * 600})
    assert status == 400
    assert told["error"]["type"] == "exceed_context_size_error"
    assert (told["error"]["n_prompt_tokens"], told["error"]["n_ctx"]) == (600, 512)


def test_vllm_tells_ids_and_caches_whole_blocks(vllm_double: VllmDouble) -> None:
    asked = {"prompt": PROMPT, **GREEDY, "return_token_ids": True, "stream_options": {"include_usage": True}}
    *chunks, usage, done = stream(vllm_double.url, "/v1/completions", asked)
    ids = [token for chunk in chunks for token in chunk["choices"][0]["token_ids"]]
    assert done == "[DONE]"
    assert chunks[0]["choices"][0]["prompt_token_ids"] == PROMPT
    assert usage["usage"]["completion_tokens"] == len(ids) == 8
    assert usage["usage"]["prompt_tokens_details"] == {"cached_tokens": 0}

    *_, usage, _ = stream(vllm_double.url, "/v1/completions", {**asked, "prompt": [*PROMPT, *ids, 50, 51]})
    assert usage["usage"]["prompt_tokens_details"] == {"cached_tokens": 64}


def test_vllm_counts_messages_as_it_sends_them(vllm_double: VllmDouble) -> None:
    messages = [{"role": "user", "content": "Hello there"}]
    _, counted = call(vllm_double.url, "/tokenize", {"messages": messages})
    _, answer = call(vllm_double.url, "/v1/chat/completions", {"messages": messages, **GREEDY})
    assert counted["count"] == len(counted["tokens"]) == answer["usage"]["prompt_tokens"]


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/chat/completions"])
def test_a_schema_holds_in_the_words_of_each_server(
    llama_double: LlamaDouble, vllm_double: VllmDouble, path: str
) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "boolean"}}, "required": ["n"]}
    asked: dict[str, Any] = {"temperature": 0, "max_tokens": 200}
    asked |= (
        {"prompt": PROMPT} if path == "/v1/completions" else {"messages": [{"role": "user", "content": "a"}]}
    )
    shaped = {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}}
    for double, more in ((vllm_double, shaped), (llama_double, {"json_schema": schema})):
        choice = call(double.url, path, {**asked, **more})[1]["choices"][0]
        text = choice["text"] if path == "/v1/completions" else choice["message"]["content"]
        assert isinstance(json.loads(text)["n"], bool)
        assert choice["finish_reason"] == "stop"


def test_a_hosted_api_wants_a_key_and_takes_nothing_but_its_own(openai_double: OpenAiDouble) -> None:
    asked = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}], **GREEDY}
    assert call(openai_double.url, "/v1/chat/completions", asked)[0] == 401
    assert call(openai_double.url, "/v1/chat/completions", {**asked, "top_k": 3}, KEY)[0] == 400
    assert call(openai_double.url, "/tokenize", {"prompt": "a"}, KEY)[0] == 404
    status, answer = call(openai_double.url, "/v1/chat/completions", asked, KEY)
    assert (status, answer["usage"]["completion_tokens"]) == (200, 8)


def test_a_hosted_api_may_cut_in_silence(openai_double: OpenAiDouble) -> None:
    openai_double.window, openai_double.cuts = 100, True
    said = [{"role": "user", "content": f"{number} is a number. " * 3} for number in range(10)]
    _, answer = call(
        openai_double.url, "/v1/chat/completions", {"model": "tiny", "messages": said, **GREEDY}, KEY
    )
    assert answer["usage"]["prompt_tokens"] < 100


def test_a_closed_connection_ends_the_decoding(vllm_double: VllmDouble) -> None:
    hold = Hold(tokens=3)
    vllm_double.faults = [hold]
    connection = http.client.HTTPConnection(urlsplit(vllm_double.url).netloc, timeout=20)
    asked = {"prompt": PROMPT, "max_tokens": 400, "stream": True}
    connection.request("POST", "/v1/completions", json.dumps(asked))
    response = connection.getresponse()
    assert hold.reached.wait(20)
    assert vllm_double.running == 1
    response.close()
    connection.close()
    waited = threading.Event()
    while vllm_double.running:
        waited.wait(0.01)
    (answer,) = vllm_double.answers
    assert (answer.left, len(answer.ids)) == (True, 3)


def test_faults_come_one_by_one_and_then_all_is_well(llama_double: LlamaDouble) -> None:
    llama_double.faults = [too_many("1"), loading()]
    asked = {"prompt": PROMPT, "n_predict": 2}
    status, _, headers = exchanged(llama_double.url, "/completion", asked)
    assert (status, headers["Retry-After"]) == (429, "1")
    assert call(llama_double.url, "/completion", asked)[0] == 503
    assert call(llama_double.url, "/completion", asked)[0] == 200


@pytest.mark.parametrize("within", Within)
def test_a_connection_can_be_dropped_anywhere(vllm_double: VllmDouble, within: Within) -> None:
    vllm_double.faults = [Drop(2, within)]
    asked = {"prompt": PROMPT, "max_tokens": 200, "stream": True, "seed": 1, "temperature": 2}
    with pytest.raises(http.client.IncompleteRead):
        exchanged(vllm_double.url, "/v1/completions", asked)
    assert 2 <= len(vllm_double.answers[0].ids) < 200


def test_before_the_headers_there_is_nothing_at_all(vllm_double: VllmDouble) -> None:
    vllm_double.faults = [Drop(None)]
    with pytest.raises(http.client.RemoteDisconnected):
        exchanged(vllm_double.url, "/v1/completions", {"prompt": PROMPT})


@pytest.mark.parametrize(
    "framing",
    [
        Framing(together=3),
        Framing(pieces=5),
        Framing(crlf=True, comments=True),
        Framing(tokens=3),
        Framing(done=False, usage=False),
    ],
)
def test_a_stream_says_the_same_however_it_is_written(vllm_double: VllmDouble, framing: Framing) -> None:
    asked = {"prompt": PROMPT, **GREEDY, "return_token_ids": True}

    def ids() -> list[int]:
        events = [event for event in stream(vllm_double.url, "/v1/completions", asked) if event != "[DONE]"]
        return [token for event in events for token in event["choices"][0]["token_ids"]]

    plain = ids()
    vllm_double.framing = framing
    assert ids() == plain


def test_an_event_can_be_no_json(vllm_double: VllmDouble) -> None:
    vllm_double.faults = [Garble(2, b'data: {"choices\n\n')]
    with pytest.raises(json.JSONDecodeError):
        stream(vllm_double.url, "/v1/completions", {"prompt": PROMPT, **GREEDY})


def test_what_is_asked_besides_fails_on_its_own(llama_double: LlamaDouble) -> None:
    llama_double.faults_elsewhere = [loading()]
    assert [call(llama_double.url, "/props")[0] for _ in range(2)] == [503, 200]


def test_a_connection_that_was_promised_may_be_gone(llama_double: LlamaDouble) -> None:
    llama_double.hangs_up = True
    connection = http.client.HTTPConnection(urlsplit(llama_double.url).netloc, timeout=20)
    connection.request("GET", "/health")
    assert connection.getresponse().read()
    connection.auto_open = 0
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        connection.request("GET", "/health")
        connection.getresponse()
    connection.close()


def test_a_double_comes_back_where_it_was(backing: Backing) -> None:
    double = LlamaDouble(backing)
    with running(double):
        port = urlsplit(double.url).port
    with pytest.raises(ConnectionRefusedError):
        call(double.url, "/health")
    with running(double, port or 0):
        assert call(double.url, "/health")[0] == 200


def test_two_are_answered_at_once_by_vllm_and_one_by_llama_server(
    vllm_double: VllmDouble, llama_double: LlamaDouble
) -> None:
    asked = {"prompt": PROMPT, **GREEDY}
    for double, answered in ((vllm_double, True), (llama_double, False)):
        hold = Hold(tokens=2)
        double.faults = [hold]
        first = threading.Thread(target=stream, args=(double.url, "/v1/completions", asked))
        first.start()
        assert hold.reached.wait(20)
        second = threading.Thread(target=call, args=(double.url, "/v1/completions", asked))
        second.start()
        if answered:
            second.join(20)
            assert not second.is_alive()
        hold.let_go.set()
        first.join(20)
        second.join(20)
        assert double.most_running == (2 if answered else 1)


def test_an_answer_can_be_told_to_a_double(llama_double: LlamaDouble) -> None:
    llama_double.backing.says = ["a🙂b"]
    *partials, final = stream(llama_double.url, "/completion", {"prompt": PROMPT})
    assert [event["content"] for event in partials] == ["a", "🙂", "b", ""]
    assert [event["tokens_predicted"] for event in partials] == [1, 5, 6, 7]
    assert final["stop_type"] == "eos"


def test_reasoning_has_a_field_of_its_own_in_each_dialect(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "thinks.gguf", Shape(template=KEEPS_REASONING))
    backing = Backing(path)
    asked = {"messages": [{"role": "user", "content": "Hello"}]}
    try:
        with running(VllmDouble(backing, reasoning=True)) as vllm, running(LlamaDouble(backing)) as llama:
            for double, field in ((vllm, "reasoning"), (llama, "reasoning_content")):
                backing.says = ["<think>hm</think>yes"] * 2
                message = call(double.url, "/v1/chat/completions", asked)[1]["choices"][0]["message"]
                assert (message[field], message["content"]) == ("hm", "yes")
                events = stream(double.url, "/v1/chat/completions", asked)[:-1]
                deltas = [event["choices"][0]["delta"] for event in events]
                assert "".join(delta.get(field) or "" for delta in deltas) == "hm"
                assert "".join(delta.get("content") or "" for delta in deltas) == "yes"
    finally:
        backing.close()


def test_a_server_can_fail_within_its_stream(vllm_double: VllmDouble) -> None:
    vllm_double.faults = [fails(2)]
    *chunks, last = stream(vllm_double.url, "/v1/completions", {"prompt": PROMPT, **GREEDY})
    assert (len(chunks), last["error"]["code"]) == (2, 500)


def test_what_cannot_be_a_grammar_is_refused(vllm_double: VllmDouble, llama_double: LlamaDouble) -> None:
    broken = {"prompt": PROMPT, "grammar": "root ::= ("}
    assert call(llama_double.url, "/completion", broken)[0] == 400
    assert (
        call(llama_double.url, "/completion", {"prompt": PROMPT, "json_schema": {"type": "strang"}})[0] == 400
    )
    outputs = {"structured_outputs": {"grammar": "root ::= ("}}
    assert call(vllm_double.url, "/v1/completions", {"prompt": PROMPT, **outputs})[0] == 400
