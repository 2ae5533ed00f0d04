"""What a draft would cost, and what the same question then costs."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxchat.context.attachments import Attachment
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.errors import UsageError
from ctxchat.domain.events import Prefilled
from ctxchat.domain.model import SystemPlacement
from ctxchat.service.clock import SystemClock
from ctxchat.service.draft_cost import Draft
from ctxchat.service.drafts import Drafts
from ctxchat.service.journal import Journal
from ctxchat.service.pins import PinService
from ctxchat.service.request import AskRequest
from ctxchat.service.turns import TurnService
from tests.support.characters import BracketTemplate, CharacterVocabulary
from tests.support.desk import WORDING, Desk
from tests.support.scripted import ScriptedModel
from tests.support.written_costs import WrittenCosts

texts = st.text(max_size=60)
attached = st.lists(st.builds(Attachment, st.just("f.txt"), st.text(max_size=40)), max_size=2)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), texts, attached),
        st.tuples(st.just("pin"), st.text(min_size=1, max_size=9), st.just([])),
        st.tuples(st.just("delete"), st.just(""), st.just([])),
        st.tuples(st.just("undo"), st.just(""), st.just([])),
    ),
    max_size=6,
)


class MindsWhatStandsBefore(CharacterVocabulary):
    """One token more for a text that follows another, as for a word that begins behind a space."""

    fingerprint = "minds"

    def tokenize(self, text: str, *, special: bool, after: int | None) -> tuple[int, ...]:
        ids = super().tokenize(text, special=special, after=after)
        return (10 + ord(" "), *ids) if ids and after is not None and after >= 10 else ids


def drafts_of(desk: Desk) -> Drafts:
    return Drafts(desk.service, Journal(desk.record, SystemClock(), WORDING, "Be."))


def known(draft: Draft | None) -> Draft:
    assert draft is not None
    return draft


def loaded(folder: Path, model: ScriptedModel) -> Desk:
    desk = Desk(folder, model)
    list(desk.service.load(Cancel()))
    return desk


def do(desk: Desk, step: tuple[str, str, list[Attachment]]) -> None:
    what, text, attachments = step
    turns = TurnService(desk.record)
    try:
        if what == "ask":
            desk.ask(AskRequest(text, tuple(attachments), resume=True, memory=False))
        elif what == "pin":
            PinService(desk.record).add(None, text)
        elif what == "delete":
            turns.delete(None)
        else:
            turns.undo(None)
    except UsageError:
        pass


@settings(max_examples=60)
@given(steps, texts, attached, st.sampled_from([CharacterVocabulary, MindsWhatStandsBefore]), st.booleans())
def test_a_draft_costs_what_the_turn_then_costs(
    before: Sequence[tuple[str, str, list[Attachment]]],
    text: str,
    attachments: list[Attachment],
    vocabulary: type[CharacterVocabulary],
    takes_system: bool,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        model = ScriptedModel(window=1 << 14, template=BracketTemplate(takes_system=takes_system))
        model.vocabulary = vocabulary()
        desk = loaded(Path(folder), model)
        drafts = drafts_of(desk)
        for step in before:
            do(desk, (step[0], step[1], step[2]))
            latest = desk.record.latest()
            drafts.cost(latest and latest.id, "in between", max_tokens=20)
        latest = desk.record.latest()
        draft = known(drafts.cost(latest and latest.id, text, attachments, 20))
        again = known(drafts.cost(latest and latest.id, text, attachments, 20))
        request = AskRequest(text, tuple(attachments), resume=True, memory=False)
        request = replace(request, sampling=replace(request.sampling, max_tokens=20))
        prompt = desk.ask(request).prompt
        assert prompt
        assert draft == again
        assert draft.total == prompt.total
        assert draft.sections == prompt.sections
        assert draft.fits
        desk.database.close()


def test_what_is_reused_and_foretold_is_that_of_the_turn(tmp_path: Path) -> None:
    desk = loaded(tmp_path, ScriptedModel(["Uno.", "Due."]))
    desk.ask("One?")
    latest = desk.record.latest()
    assert latest
    desk.model.costs = Foretelling()
    draft = known(drafts_of(desk).cost(latest.id, "Two?"))
    receipt = desk.ask(AskRequest("Two?", resume=True))
    assert receipt.kv
    assert (draft.reused, draft.evaluated) == (receipt.kv.reused, receipt.kv.evaluated)
    assert draft.predicted == receipt.predicted
    assert draft.predicted.prefill is not None
    assert draft.tokens == len("Two?")
    assert draft.exact


class Foretelling:
    def curve(self, type_k: str | None = None) -> CostCurve | None:
        return CostCurve(0.1, 0.01, 0.0, 0.02, 0.0)

    def learn(self) -> None:
        pass


def test_what_is_on_disk_counts_as_reused(tmp_path: Path) -> None:
    desk = loaded(tmp_path, ScriptedModel(["Uno.", "Due."]))
    desk.ask("One?")
    list(desk.service.tidy(Cancel()))
    latest = desk.record.latest()
    assert latest
    desk.model.cache.drop(0)
    draft = known(drafts_of(desk).cost(latest.id, "Two?"))
    receipt = desk.ask(AskRequest("Two?", resume=True))
    assert receipt.kv
    assert receipt.kv.restored > 0
    assert draft.reused == receipt.kv.reused


def test_what_comes_back_from_disk_takes_its_time(tmp_path: Path) -> None:
    desk = loaded(tmp_path, ScriptedModel(["Uno.", "Due."]))
    desk.model.costs = WrittenCosts(CostCurve(0.1, 0.01, 0.0, 0.02, 0.0), each_restored=0.001)
    desk.ask("One?")
    list(desk.service.tidy(Cancel()))
    latest = desk.record.latest()
    assert latest
    desk.model.cache.drop(0)
    draft = known(drafts_of(desk).cost(latest.id, "Two?"))
    assert draft.predicted == desk.ask(AskRequest("Two?", resume=True)).predicted


def test_a_draft_that_is_too_large_says_so(tmp_path: Path) -> None:
    desk = loaded(tmp_path, ScriptedModel(window=256))
    draft = known(drafts_of(desk).cost(None, "x" * 300))
    assert not draft.fits
    assert draft.usable < 256


def test_nothing_is_counted_before_a_model_is_loaded_and_after_it_was_closed(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ScriptedModel())
    drafts = drafts_of(desk)
    assert drafts.cost(None, "One?") is None
    list(desk.service.load(Cancel()))
    assert drafts.cost(None, "One?") is not None
    desk.service.close()
    assert drafts.cost(None, "One?") is None


def test_a_long_history_is_tokenized_once_while_a_person_types(tmp_path: Path) -> None:
    desk = loaded(tmp_path, ScriptedModel(["Uno."]))
    desk.ask("One?")
    latest = desk.record.latest()
    assert latest
    counting = CountingVocabulary()
    desk.model.vocabulary = counting
    drafts = drafts_of(desk)
    long = Attachment("f.txt", "much text " * 50)
    drafts.cost(latest.id, "T", [long])
    counting.characters = 0
    for draft in ("Tw", "Two", "Two?"):
        drafts.cost(latest.id, draft, [long])
    behind = len("<end><assistant>")
    assert counting.characters == len("Tw" + "Two" + "Two?") + 3 * behind


class CountingVocabulary(CharacterVocabulary):
    characters = 0

    def tokenize(self, text: str, *, special: bool, after: int | None) -> tuple[int, ...]:
        self.characters += len(text)
        return super().tokenize(text, special=special, after=after)


def test_a_draft_is_counted_while_the_model_reads(tmp_path: Path) -> None:
    desk = loaded(tmp_path, ScriptedModel(slice_length=4))
    drafts, counted = drafts_of(desk), list[Draft | None]()
    for event in desk.events("One? " * 20):
        if isinstance(event, Prefilled):
            other = Thread(target=lambda: counted.append(drafts.cost(None, "Two?")))
            other.start()
            other.join()
    assert len(counted) > 2
    assert len({known(draft).total for draft in counted}) == 1


@pytest.mark.parametrize("placement", list(SystemPlacement))
def test_a_new_conversation_has_the_system_message_of_the_settings(
    tmp_path: Path, placement: SystemPlacement
) -> None:
    takes = placement is SystemPlacement.OWN_ROLE
    desk = loaded(tmp_path, ScriptedModel(["Uno."], template=BracketTemplate(takes_system=takes)))
    draft = known(drafts_of(desk).cost(None, "One?"))
    prompt = desk.ask("One?").prompt
    assert prompt
    assert draft.sections == prompt.sections


def test_what_is_being_written_is_not_sent_to_a_server_to_be_counted(tmp_path: Path) -> None:
    class AtServer(CharacterVocabulary):
        remote = True
        asked: ClassVar[list[str]] = []

        def tokenize(self, text: str, *, special: bool, after: int | None) -> tuple[int, ...]:
            self.asked.append(text)
            return super().tokenize(text, special=special, after=after)

    model = ScriptedModel()
    model.vocabulary = AtServer()
    drafts = drafts_of(loaded(tmp_path, model))
    draft = drafts.cost(None, "a secret thought", [Attachment("x", "a secret text")])
    assert draft is not None
    assert not draft.exact
    assert not any("secret" in text for text in AtServer.asked)
