"""What a server answers, as events: whoever the server is."""

import time
from dataclasses import replace

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import Generated, Prefilled, ReasoningGenerated, TextGenerated
from ctxchat.domain.model import ReasoningTags
from ctxchat.engine.server.model import ServerModel
from tests.engine.server.conftest import Load
from tests.support.server_models import last, question, told
from tests.support.servers.double import Double
from tests.support.servers.faults import Framing, Hold
from tests.support.servers.llama_double import LlamaDouble

SAID = "Grüße, 日本 🎉 the end"
THINK = ReasoningTags("<think>", "</think>")

FRAMINGS = [
    Framing(),
    Framing(together=5),
    Framing(pieces=1),
    Framing(crlf=True, comments=True),
    Framing(tokens=3),
    Framing(done=False),
    Framing(usage=False),
]


@pytest.mark.parametrize("framing", FRAMINGS)
def test_the_texts_are_what_was_said_however_the_stream_is_cut(
    double: Double, model: ServerModel, framing: Framing
) -> None:
    double.framing = framing
    double.backing.says.append(SAID)
    events = told(model, question(model, limit=200))
    assert isinstance(events[0], Prefilled)
    assert "".join(e.text for e in events if isinstance(e, TextGenerated)) == SAID
    done = last(events)
    assert (done.text, done.finish, done.aligned) == (SAID, Finish.STOP, True)
    assert model.vocabulary.text(done.text_ids) == SAID


@pytest.mark.parametrize("vocabulary", [None, "here"])
@pytest.mark.parametrize("double", ["vllm_double", "llama_double"], indirect=True)
def test_the_ids_are_those_the_server_decoded(double: Double, load: Load, vocabulary: str | None) -> None:
    path = str(double.backing.path) if vocabulary else None
    model = load(double.url, vocabulary=path)
    double.backing.says.append(SAID)
    done = last(told(model, question(model, limit=200)))
    assert done.text_ids == double.backing.tokenize(SAID)
    assert double.answers[-1].ids == [*done.text_ids, double.backing.end]


@pytest.mark.parametrize("double", ["vllm_double", "llama_double"], indirect=True)
def test_the_prompt_that_arrives_is_the_one_that_was_sent(double: Double, model: ServerModel) -> None:
    asked = question(model, "the <|im_end|> of it")
    done = last(told(model, asked))
    assert double.answers[-1].prompt == asked.ids
    assert done.usage
    assert (done.usage.prompt, done.usage.cached) == (len(asked.ids), 0)


def test_reasoning_is_told_apart_by_the_tags_of_the_template(double: Double, model: ServerModel) -> None:
    double.backing.says.append("<think>\nwell\n</think>\n\nyes")
    events = told(model, question(model, limit=200, reasoning=THINK))
    done = last(events)
    assert (done.reasoning, done.text) == ("\nwell\n", "yes")
    assert "".join(e.text for e in events if isinstance(e, ReasoningGenerated)) == done.reasoning


def test_an_answer_ends_before_a_stop_string_and_the_server_stops(double: Double, model: ServerModel) -> None:
    double.backing.says.append("one, two, three, four, five, six")
    asked = question(model, limit=200)
    asked = replace(asked, sampling=replace(asked.sampling, stop=(", three",)))
    done = last(told(model, asked))
    assert (done.text, done.finish) == ("one, two", Finish.STOP)


def test_an_answer_ends_at_its_limit(double: Double, model: ServerModel) -> None:
    double.backing.says.append("one two three four five")
    done = last(told(model, question(model, limit=4)))
    assert done.finish is Finish.LENGTH
    assert done.usage
    assert done.usage.answer in {4, None}


@pytest.mark.parametrize("tokens", [None, 0, 3])
def test_a_cancel_in_any_phase_makes_the_server_stop(
    double: Double, model: ServerModel, tokens: int | None
) -> None:
    hold = Hold(tokens)
    double.faults.append(hold)
    double.backing.says.append("one two three four five")
    cancel = Cancel()
    events = model.generate(question(model, limit=200), cancel)
    seen = [next(events)]
    assert hold.reached.wait(10) or tokens
    while tokens and not hold.reached.is_set():
        seen.append(next(events))
    cancel.request()
    seen += list(events)
    done = last(seen)
    assert done.finish is Finish.CANCELLED
    assert done.text == "".join(e.text for e in seen if isinstance(e, TextGenerated))
    _settles(double)
    assert double.running == 0
    assert not any(answer.ended for answer in double.answers)


def test_closing_the_iterator_makes_the_server_stop_and_another_turn_follows(
    double: Double, model: ServerModel
) -> None:
    double.backing.says += ["one two three four five", "again"]
    hold = Hold(2)
    double.faults.append(hold)
    events = model.generate(question(model, limit=200), Cancel())
    next(e for e in events if isinstance(e, TextGenerated))
    events.close()  # type: ignore[attr-defined]
    _settles(double)
    assert double.running == 0
    assert last(told(model, question(model, limit=200))).text == "again"


def test_nothing_is_sent_where_it_was_cancelled_before(double: Double, model: ServerModel) -> None:
    before = len(double.seen)
    cancel = Cancel()
    cancel.request()
    asked = question(model)
    sent = len(double.seen) - before
    events = told(model, asked, cancel)
    assert events == [
        Prefilled(0, len(asked.ids)),
        Generated(Finish.CANCELLED, "", (), usage=last(events).usage),
    ]
    assert len(double.seen) - before == sent


@pytest.mark.parametrize("double", ["vllm_double", "openai_double"], indirect=True)
def test_reading_a_prompt_without_an_answer_costs_no_request(double: Double, model: ServerModel) -> None:
    done = last(told(model, question(model, limit=0)))
    assert done == Generated(Finish.LENGTH, "", ())
    assert double.answers == []


@pytest.mark.parametrize("double", ["llama_double"], indirect=True)
def test_llama_server_reads_a_prompt_alone(double: LlamaDouble, model: ServerModel) -> None:
    asked = question(model, "one two three " * 30, limit=0)
    assert last(told(model, asked)).finish is Finish.LENGTH
    _settles(double)
    assert double.slot == asked.ids


def _settles(double: Double) -> None:
    """Wait until the double has seen that the client left."""
    until = time.monotonic() + 10
    while double.running and time.monotonic() < until:
        time.sleep(0.005)
