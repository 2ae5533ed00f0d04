"""What a front end that stays open works with, as it is really put together."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import ConversationBusyError, EngineError, ModelError
from ctxchat.domain.events import Compacted, ModelLoading, TurnFinished
from ctxchat.domain.sampling import Sampling
from ctxchat.service import wiring
from ctxchat.service.open_services import Services
from ctxchat.service.request import AskRequest, Reply
from ctxchat.settings.load import load_settings
from ctxchat.settings.schema import Settings

pytestmark = pytest.mark.model


@pytest.fixture
def settings(home: Path, smollm2: Path) -> Settings:
    settings = load_settings({"model.path": str(smollm2)}, cwd=home)
    return replace(settings, model=replace(settings.model, threads=1, threads_batch=1, ctx_size=512))


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    opened = wiring.open_services(settings)
    yield opened
    opened.close()


def asked(services: Services, request: AskRequest) -> TurnFinished:
    *_, last = services.chat.ask(request, Cancel())
    assert isinstance(last, TurnFinished)
    return last


def test_all_of_it_works_together_with_a_real_model(services: Services) -> None:
    loading = [e for e in services.chat.load(Cancel()) if isinstance(e, ModelLoading)]
    assert loading[-1].done == loading[-1].total
    few = Sampling(max_tokens=12, temperature=0.0)
    draft = services.drafts.cost(None, "Count to fifty.", max_tokens=12)
    cut = asked(services, AskRequest("Count to fifty.", sampling=few)).receipt
    assert draft
    assert cut.prompt
    assert draft.total == cut.prompt.total
    rest = asked(services, AskRequest("", resume=True, reply=Reply.REST, sampling=few)).receipt
    assert rest.kv
    assert rest.kv.evaluated == 1
    again = asked(services, AskRequest("", resume=True, reply=Reply.AGAIN, sampling=few)).receipt
    assert again.kv
    assert again.kv.evaluated == 1
    assert again.answer  # The old answer stays in cells: sums run in another order, and may end otherwise.
    conversation = services.conversations.resolve(None)
    before = services.drafts.cost(conversation.id, "And now?", max_tokens=12)
    after = asked(services, AskRequest("And now?", resume=True, sampling=few, memory=False)).receipt
    assert before
    assert after.kv
    assert (before.total, before.reused) == (after.kv.evaluated + after.kv.reused, after.kv.reused)
    conversation = services.conversations.resolve(None)
    through = services.conversations.transcript(None).messages[0].id
    folded = services.chat.compact(conversation, 12, Cancel(), through=through, focus="numbers")
    assert [e.turns for e in folded if isinstance(e, Compacted)] == [1]
    listed = services.rows.listing(conversation, services.chat.standing(conversation, 12, Cancel()))
    assert {row.turn for row in listed if row.message} == {2}


def test_a_conversation_that_is_being_answered_is_busy_for_the_others(services: Services) -> None:
    services.chat.load(Cancel())
    turn = services.chat.ask(AskRequest("Count.", sampling=Sampling(max_tokens=4)), Cancel())
    next(turn)
    with pytest.raises(ConversationBusyError):
        services.turns.delete(None)
    list(turn)
    assert services.turns.delete(None).text == "Count."


def test_models_are_listed_opened_and_used(services: Services, smollm2: Path) -> None:
    assert str(smollm2) in {model.path for model in services.models.listing()}
    assert services.models.info(str(smollm2))[0].architecture == "llama"
    with pytest.raises(ModelError):
        services.models.opener("no-such-model")
    services.chat.use_model(services.models.opener(str(smollm2)))
    assert services.chat.model is None
    services.models.use(str(smollm2))
    assert str(smollm2) in services.settings_file.read_text("utf-8")
    assert load_settings().origins["model.path"].startswith(str(services.settings_file))


def test_texts_are_counted_once_a_model_is_loaded(services: Services) -> None:
    with pytest.raises(EngineError), services.vocabulary():
        pass
    list(services.chat.load(Cancel()))
    with services.vocabulary() as vocabulary:
        assert len(vocabulary.tokenize("Hello there", special=False, after=None)) == 2


def test_notes_and_memory_are_made_at_first_need(services: Services) -> None:
    assert services.notes is services.notes
    services.memory.add("The code is 4711.")
    assert [note.text for note in services.memory.listing()] == ["The code is 4711."]


def test_the_focus_reaches_the_request_whatever_file_it_is_made_from(home: Path, settings: Settings) -> None:
    from ctxchat.service.wiring.chat import _summary

    own = home / "prompts"
    own.mkdir()
    assert "dogs" in _summary(own, 40, "dogs")
    assert "  " not in _summary(own, 40, "")
    assert _summary(own, 40, "$x").count("$x") == 1
    (own / "summarize.md").write_text("In $words words, please.")
    assert _summary(own, 40, "dogs") == "In 40 words, please. Above all keep what was said of this: dogs."
