"""What each kind of server is sent, and what is read of its chunks."""

import json
from dataclasses import replace

import pytest

from ctxchat.domain.constraint import Constraint
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import UsageError
from ctxchat.domain.events import ReasoningGenerated, Usage, Warned
from ctxchat.domain.model import ReasoningTags
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.grammar.follower import grammar_of
from ctxchat.engine.grammar.reasoning import behind_reasoning, rooted
from ctxchat.engine.server.dialects.llama_server import LlamaServerReader
from ctxchat.engine.server.dialects.plain import PlainDialect
from ctxchat.engine.server.event_stream import chunks_of
from ctxchat.engine.server.model import ServerModel
from ctxchat.service.wiring.constraints import grammar_constraint, schema_constraint
from tests.engine.server.conftest import Load
from tests.support.server_models import last, question, told
from tests.support.servers.double import Double
from tests.support.servers.faults import Framing
from tests.support.servers.openai_double import OpenAiDouble
from tests.support.servers.vllm_double import VllmDouble

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }
)
TAGS = ReasoningTags("<think>", "</think>")


def test_a_schema_is_held_by_every_server(double: Double, model: ServerModel) -> None:
    constraint = schema_constraint(SCHEMA)
    done = last(told(model, question(model, limit=200, constraint=constraint)))
    assert done.satisfied
    assert isinstance(json.loads(done.text)["n"], int)


@pytest.mark.parametrize("double", ["vllm_double", "llama_double"], indirect=True)
def test_a_grammar_is_held_by_servers_that_take_ids(double: Double, model: ServerModel) -> None:
    constraint = grammar_constraint('root ::= "[" [a-z]{3} "]"')
    done = last(told(model, question(model, limit=50, constraint=constraint)))
    assert (done.satisfied, len(done.text)) == (True, 5)


@pytest.mark.parametrize("double", ["vllm_double", "llama_double"], indirect=True)
def test_a_grammar_begins_behind_the_reasoning(double: Double, model: ServerModel) -> None:
    constraint = grammar_constraint('root ::= "[" [a-z]{3} "]"')
    asked = question(model, limit=50, constraint=constraint, reasoning=TAGS, in_reasoning=True)
    told(model, asked)
    (body,) = double.asked("/v1/completions") or double.asked("/completion")
    sent = body.get("grammar") or body["structured_outputs"]["grammar"]
    assert grammar_of(sent).allows("anything</think>\n[abc]")
    assert not grammar_of(sent).allows("[abc]")


def test_a_hosted_api_takes_no_grammar(openai_double: OpenAiDouble, load: Load) -> None:
    model = load(openai_double.url, key=openai_double.key)
    with pytest.raises(UsageError, match="takes no grammar"):
        told(model, question(model, constraint=Constraint('root ::= "a"')))


def test_the_name_of_the_root_is_not_seen_in_literals() -> None:
    grammar = 'root ::= "root \\" root" [root] answer # root\nanswer ::= "x" root-x\nroot-x ::= "root"'
    sent = rooted(*behind_reasoning(grammar, TAGS, opened=True))
    assert grammar_of(sent).allows('why</think>root " rootoxroot')


def test_options_without_a_name_are_left_out_and_that_is_said_once(
    openai_double: OpenAiDouble, load: Load
) -> None:
    model = load(openai_double.url, key=openai_double.key)
    asked = replace(question(model), sampling=Sampling(top_k=5, min_p=0.2, seed=7))
    warned = [event.message for event in told(model, asked) if isinstance(event, Warned)]
    assert len(warned) == 1
    assert "no option top_k or min_p" in warned[0]
    assert not any(isinstance(event, Warned) for event in told(model, asked))
    assert openai_double.asked("/v1/chat/completions")[0]["seed"] == 7


def test_vllm_is_sent_sampling_under_its_names(vllm_double: VllmDouble, load: Load) -> None:
    model = load(vllm_double.url)
    asked = replace(question(model), sampling=Sampling(top_k=0, repeat_penalty=1.2, seed=3))
    told(model, asked)
    body = vllm_double.asked("/v1/completions")[0]
    assert (body["top_k"], body["repetition_penalty"], body["seed"]) == (-1, 1.2, 3)
    assert body["prompt"] == list(asked.ids)


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning_that_a_server_tells_apart_is_reasoning(name: str) -> None:
    delta = PlainDialect().read({"choices": [{"delta": {name: "hm", "content": None}}]})
    assert (delta.reasoning, delta.text) == ("hm", "")


def test_reasoning_of_a_server_is_shown_and_recorded(
    openai_double: OpenAiDouble, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(openai_double.url, key=openai_double.key)
    read = PlainDialect.read

    def reasons(self: PlainDialect, chunk: dict[str, object]) -> object:
        delta = read(self, chunk)
        return replace(delta, text="", reasoning=delta.text) if delta.text == "a" else delta

    monkeypatch.setattr(PlainDialect, "read", reasons)
    openai_double.backing.says[:] = ["abc"]
    events = told(model, question(model, reasoning=TAGS))
    assert ReasoningGenerated("a") in events
    assert (last(events).reasoning, last(events).text) == ("a", "bc")


def test_what_llama_server_leaves_out_is_counted() -> None:
    reader = LlamaServerReader()
    progress = {"content": "", "tokens": [0], "prompt_progress": {"total": 9, "cache": 4, "processed": 4}}
    assert reader.read(progress).read == 4
    assert reader.read({"content": "a", "tokens": [5], "tokens_predicted": 1}).unseen == 0
    jump = reader.read({"content": "🎉", "tokens": [8], "tokens_predicted": 4})
    assert (jump.ids, jump.unseen) == ((8,), 2)
    end = reader.read(
        {
            "content": "",
            "tokens": [],
            "stop": True,
            "stop_type": "limit",
            "tokens_predicted": 4,
            "tokens_evaluated": 9,
            "timings": {"cache_n": 4},
        }
    )
    assert (end.finish, end.usage) == (Finish.LENGTH, Usage(9, 4, 4))


def test_an_error_in_the_middle_of_a_stream_ends_the_answer() -> None:
    assert LlamaServerReader().read({"error": {"code": 500, "message": "out of it"}}).error == "out of it"
    assert PlainDialect().read({"error": "gone"}).error == "gone"


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_stream_is_the_same_however_it_is_cut(size: int) -> None:
    stream = ': ping\r\n\r\ndata: {"a": "ü"}\r\n\r\nevent: x\ndata:{"b": 2}\n\n'.encode()
    stream += b'data: [DONE]\n\ndata: {"c": 3}'
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert list(chunks_of(pieces)) == [{"a": "ü"}, {"b": 2}, {"c": 3}]


def test_tokens_that_come_together_are_one_step(vllm_double: VllmDouble, load: Load) -> None:
    vllm_double.framing = Framing(tokens=4)
    vllm_double.backing.says[:] = ["eight letters and more 🎉🎉"]
    done = last(told(load(vllm_double.url), question(load(vllm_double.url), limit=99)))
    assert done.text_ids == vllm_double.backing.tokenize("eight letters and more 🎉🎉")
