"""The engine against real servers; each is skipped where it is not installed."""

from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import EngineError
from ctxchat.domain.events import TextGenerated
from ctxchat.engine.server.probing import Kind
from ctxchat.service.wiring.constraints import schema_constraint
from tests.engine.server.conftest import Load
from tests.support.server_models import last, question, told
from tests.support.servers.plain_client import call
from tests.support.servers.real import RealServer

SCHEMA = '{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}'


@pytest.mark.model
def test_llama_server_answers_by_ids(smollm2_llama_server: RealServer, load: Load) -> None:
    model = load(smollm2_llama_server.url)
    assert (model.probed.kind, model.facts.window) == (Kind.LLAMA_SERVER, 4096)
    asked = question(model, "Write an emoji and a word with ü.", limit=30)
    first, again = last(told(model, asked)), last(told(model, asked))
    assert first.text == model.vocabulary.text(first.text_ids) == again.text
    assert again.usage
    assert (again.usage.prompt, again.usage.cached) == (len(asked.ids), len(asked.ids) - 1)
    held = last(told(model, question(model, limit=60, constraint=schema_constraint(SCHEMA))))
    assert held.satisfied or held.finish is Finish.LENGTH


@pytest.mark.model
def test_llama_server_stops_at_a_cancel(smollm2_llama_server: RealServer, load: Load) -> None:
    model, cancel = load(smollm2_llama_server.url), Cancel()
    events = model.generate(question(model, "Count to a thousand.", limit=2000), cancel)
    next(event for event in events if isinstance(event, TextGenerated))
    cancel.request()
    assert last(list(events)).finish is Finish.CANCELLED
    while call(smollm2_llama_server.url, "/slots")[1][0]["is_processing"]:
        pass


@pytest.mark.model
@pytest.mark.parametrize("which", ["smollm2_llama_server", "python_server"])
def test_a_server_that_was_killed_and_came_back_answers_again(
    which: str, request: pytest.FixtureRequest, load: Load, tmp_path: Path
) -> None:
    server: RealServer = request.getfixturevalue(which)
    model = load(server.url)
    asked = question(model, "Count to a thousand.", limit=400)
    events = model.generate(asked, Cancel())
    shown = next(event for event in events if isinstance(event, TextGenerated)).text
    server.kill()
    with pytest.raises(EngineError, match="broke off"):
        shown += "".join(event.text for event in events if isinstance(event, TextGenerated))
    assert shown
    server.restart()
    assert last(told(model, question(model, limit=5))).text
