"""The same request to the double of llama-server and to the real one is answered alike."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers.backing import Backing
from tests.support.servers.double import running
from tests.support.servers.llama_double import LlamaDouble
from tests.support.servers.plain_client import call, stream
from tests.support.servers.real import RealServer

PROMPT = list(range(40, 100))
MESSAGES = [{"role": "user", "content": "Hello there"}]
SCHEMA = {"type": "object", "properties": {"n": {"type": "boolean"}}, "required": ["n"]}
UNSTEADY = {
    "created",
    "id",
    "model",
    "model_path",
    "model_alias",
    "name",
    "aliases",
    "build_info",
    "media_marker",
}
UNSTEADY |= {
    "system_fingerprint",
    "samplers",
    "chat_template_caps",
    "generation_settings",
    "params",
    "id_task",
}
TIMES = ("_ms", "_per_second")


@pytest.fixture(scope="module")
def both(backing: Backing, tiny_llama_server: RealServer) -> Iterator[tuple[LlamaDouble, RealServer]]:
    with running(LlamaDouble(backing)) as double:
        yield double, tiny_llama_server


def steady(told: Any) -> Any:
    """What must be the same: numbers that are times, names and ids left out, their places kept."""
    if isinstance(told, dict):
        return {
            key: "…" if key in UNSTEADY or key.endswith(TIMES) else steady(value)
            for key, value in sorted(told.items())
        }
    return [steady(one) for one in told] if isinstance(told, list | tuple) else told


def test_both_tell_the_same_of_themselves(both: tuple[LlamaDouble, RealServer]) -> None:
    for path in ("/health", "/v1/models", "/props"):
        assert steady(call(both[0].url, path)) == steady(call(both[1].url, path)), path


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/tokenize", {"content": "Hi <|im_start|> ü there <|user|>", "with_pieces": True}),
        ("/tokenize", {"content": "Hi <|im_start|> ü there", "parse_special": False}),
        ("/tokenize", {"content": "Hi", "add_special": True}),
        ("/tokenize", {}),
        ("/detokenize", {"tokens": [40, 50, 272, 273]}),
        ("/apply-template", {"messages": MESSAGES}),
        ("/nowhere", {}),
        ("/completion", {"prompt": [40] * 600}),
        ("/completion", {"prompt": [40] * 600, "stream": True}),
        ("/v1/completions", {"prompt": [40] * 512}),
        ("/completion", {"prompt": [99999]}),
        ("/completion", {"prompt": []}),
        ("/completion", {}),
    ],
)
def test_both_answer_the_same(both: tuple[LlamaDouble, RealServer], path: str, body: dict[str, Any]) -> None:
    assert call(both[0].url, path, body) == call(both[1].url, path, body)


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/completion", {"prompt": PROMPT, "return_tokens": True}),
        ("/completion", {"prompt": PROMPT, "n_predict": 0}),
        ("/completion", {"prompt": PROMPT, "stop": ["\x1a"], "return_tokens": True}),
        ("/completion", {"prompt": "the in <|im_end|>", "n_predict": 4}),
        ("/v1/completions", {"prompt": PROMPT}),
        ("/v1/chat/completions", {"messages": MESSAGES}),
        ("/completion", {"prompt": [50] * 508, "return_tokens": True}),
    ],
)
@pytest.mark.parametrize("streams", [False, True])
def test_both_generate_the_same(
    both: tuple[LlamaDouble, RealServer], path: str, more: dict[str, Any], streams: bool
) -> None:
    """Prompt by prompt in the same order, so that what is cached is the same too."""
    limit = {} if "n_predict" in more else {"max_tokens": 8}
    body = {"temperature": 0, **limit, **more}
    for asked in (body, body):
        if streams:
            options = {"stream_options": {"include_usage": True}}
            events = [stream(server.url, path, {**asked, **options}) for server in both]
        else:
            events = [[call(server.url, path, asked)] for server in both]
        for one, other in zip(steady(events[0]), steady(events[1]), strict=True):
            assert one == other


def test_what_follows_an_answer_is_cached_alike(both: tuple[LlamaDouble, RealServer]) -> None:
    def conversation(server: LlamaDouble | RealServer) -> list[tuple[int, int]]:
        prompt, counts = list(PROMPT), []
        for _ in range(4):
            body = {"prompt": prompt, "n_predict": 10, "temperature": 0, "return_tokens": True}
            _, told = call(server.url, "/completion", body)
            counts.append((told["timings"]["cache_n"], told["timings"]["prompt_n"]))
            prompt += [*told["tokens"], 50, 51, 52]
        return counts

    assert conversation(both[0]) == conversation(both[1])


def test_progress_of_a_prompt_is_told_alike(both: tuple[LlamaDouble, RealServer]) -> None:
    body = {"prompt": [60, *PROMPT], "n_predict": 2, "temperature": 0, "return_progress": True}
    kept = []
    for server in both:
        first, *others = stream(server.url, "/completion", body)
        last = [event for event in others if "prompt_progress" in event][-1]
        kept.append((steady(first), steady(last)))
    assert kept[0] == kept[1]


def test_a_schema_is_asked_for_in_the_same_words(both: tuple[LlamaDouble, RealServer]) -> None:
    shaped = {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}}
    for server in both:
        for path, more in (
            ("/completion", {"prompt": PROMPT, "json_schema": SCHEMA}),
            ("/v1/completions", {"prompt": PROMPT, "json_schema": SCHEMA}),
            ("/v1/chat/completions", {"messages": MESSAGES, **shaped}),
        ):
            _, told = call(server.url, path, {**more, "max_tokens": 200, "temperature": 0})
            if path == "/completion":
                text = told["content"]
            else:
                (choice,) = told["choices"]
                text = choice.get("text") or choice["message"]["content"]
            assert isinstance(json.loads(text)["n"], bool)


@pytest.mark.model
def test_both_count_and_answer_messages_to_a_real_model_alike(
    smollm2_backing: Backing, smollm2_llama_server: RealServer
) -> None:
    """Answers differ by rounding, so only the first words are compared."""
    said = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a colour 🙂."}]
    with running(LlamaDouble(smollm2_backing)) as double:
        for messages in (said, said[1:]):
            asked = {"messages": messages, "max_tokens": 4, "temperature": 0}
            chat, template = "/v1/chat/completions", "/apply-template"
            one, other = (call(url, chat, asked)[1] for url in (double.url, smollm2_llama_server.url))
            assert one["choices"] == other["choices"]
            assert one["usage"] == other["usage"]
            assert call(double.url, template, asked) == call(smollm2_llama_server.url, template, asked)


def test_the_real_server_can_be_restarted_where_it_was(tiny_llama_server: RealServer) -> None:
    tiny_llama_server.restart()
    assert call(tiny_llama_server.url, "/health") == (200, {"status": "ok"})
    assert Path(tiny_llama_server.command[0]).name == "llama-server"
