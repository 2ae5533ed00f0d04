"""A turn begins with what is on disk, and upkeep keeps what it leaves there."""

from pathlib import Path

import pytest

from ctxchat.context.attachments import Attachment
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import StoreError
from ctxchat.domain.events import (
    Compacted,
    CostPredicted,
    Prefilled,
    PromptBuilt,
    Restored,
    Saving,
    TurnFinished,
    Warned,
)
from ctxchat.domain.model import Restoration
from ctxchat.domain.sampling import Sampling
from ctxchat.service.conversations import ConversationService
from ctxchat.service.request import AskRequest
from tests.support.characters import BracketTemplate
from tests.support.desk import Desk
from tests.support.scripted import BYTES_PER_TOKEN, ScriptedDisk, ScriptedModel

MANUAL = Attachment("manual.md", "Turn the key to the left. " * 20)


@pytest.fixture
def disk() -> ScriptedDisk:
    return ScriptedDisk()


def opened(folder: Path, disk: ScriptedDisk, *answers: str) -> Desk:
    """A process that begins, over what those before it left."""
    return Desk(folder, ScriptedModel(answers or ["Uno."], disk=disk))


def asked(desk: Desk, question: str, **changes: object) -> AskRequest:
    request = AskRequest(question, **changes)  # type: ignore[arg-type]
    desk.ask(request)
    list(desk.service.tidy(Cancel()))
    return request


def test_a_conversation_reopens_without_reading_its_history_again(tmp_path: Path, disk: ScriptedDisk) -> None:
    asked(opened(tmp_path, disk), "Tell me all of it, please.")
    receipt = opened(tmp_path, disk).ask(AskRequest("And then?", resume=True))
    assert receipt.kv
    assert receipt.prompt
    assert receipt.kv.restored == receipt.kv.reused > 0.9 * (receipt.prompt.total - len("And then?") - 30)
    assert receipt.kv.reused + receipt.kv.evaluated == receipt.prompt.total
    assert receipt.kv.miss is None


def test_what_was_attached_is_read_once_by_whoever_asks(tmp_path: Path, disk: ScriptedDisk) -> None:
    asked(opened(tmp_path, disk), "Which way?", attachments=(MANUAL,))
    receipt = opened(tmp_path, disk).ask(AskRequest("What turns?", attachments=(MANUAL,)))
    assert receipt.kv
    assert receipt.kv.restored >= len(MANUAL.text)
    assert receipt.kv.evaluated < 60


def test_restoring_is_an_event_between_the_plan_and_the_prefill(tmp_path: Path, disk: ScriptedDisk) -> None:
    asked(opened(tmp_path, disk), "One?")
    events = list(opened(tmp_path, disk).events(AskRequest("Two?", resume=True)))
    kinds = [type(event) for event in events]
    order = [PromptBuilt, CostPredicted, Restored, Prefilled, TurnFinished]
    places = [kinds.index(kind) for kind in order]
    assert places == sorted(places)
    (restored,) = (event.restored for event in events if isinstance(event, Restored))
    (planned,) = (event.kv for event in events if isinstance(event, CostPredicted))
    assert restored == planned.restored > 0


def test_a_turn_that_has_all_in_its_cells_restores_nothing(tmp_path: Path, disk: ScriptedDisk) -> None:
    desk = opened(tmp_path, disk, "Uno.", "Due.")
    asked(desk, "One?")
    receipt = desk.ask(AskRequest("Two?", resume=True))
    assert receipt.kv
    assert receipt.kv.reused > 0
    assert receipt.kv.restored == 0


def test_a_snapshot_that_is_refused_is_told_once_and_in_the_receipt(
    tmp_path: Path, disk: ScriptedDisk
) -> None:
    asked(opened(tmp_path, disk), "One?")
    disk.damaged.append("its checksum does not match")
    events = list(opened(tmp_path, disk).events(AskRequest("Two?", resume=True)))
    (told,) = (event.message for event in events if isinstance(event, Warned))
    assert told == "snapshot refused: its checksum does not match; what it held is read again"
    last = events[-1]
    assert isinstance(last, TurnFinished)
    assert last.receipt.kv
    assert last.receipt.kv.miss == told


def test_what_is_not_recorded_is_not_kept_either(tmp_path: Path, disk: ScriptedDisk) -> None:
    asked(opened(tmp_path, disk), "One?")
    before = dict(disk.held)
    desk = opened(tmp_path, disk)
    receipt = desk.ask(AskRequest("A secret?", resume=True, record=False))
    assert list(desk.service.tidy(Cancel())) == []
    assert receipt.kv
    assert receipt.kv.restored > 0
    assert disk.held == before


def test_a_dry_run_counts_what_would_be_restored_and_restores_nothing(
    tmp_path: Path, disk: ScriptedDisk
) -> None:
    asked(opened(tmp_path, disk), "One?")
    desk = opened(tmp_path, disk)
    planned = desk.ask(AskRequest("Two?", resume=True, dry_run=True)).kv
    assert desk.model.cache.cells() == 0
    real = opened(tmp_path, disk).ask(AskRequest("Two?", resume=True)).kv
    assert planned
    assert real
    assert (planned.reused, planned.restored, planned.evaluated) == (
        real.reused, real.restored, real.evaluated,
    )  # fmt: skip


def test_reasoning_that_the_next_prompt_leaves_out_is_not_kept(tmp_path: Path, disk: ScriptedDisk) -> None:
    template = BracketTemplate(strips_reasoning=True, reasons=True)
    model = ScriptedModel(["<think>a long thought</think>Uno."], template=template, disk=disk)
    desk = Desk(tmp_path, model)
    asked(desk, "One?")
    (held,) = disk.held.values()
    assert "thought" in model.vocabulary.text(model.cache.mirror.ids(0))
    assert "thought" not in model.vocabulary.text(held)
    assert "One?" in model.vocabulary.text(held)


def test_saving_comes_behind_the_answer_and_stops_for_a_new_question(
    tmp_path: Path, disk: ScriptedDisk
) -> None:
    desk = opened(tmp_path, disk)
    desk.ask("One?")
    assert disk.held == {}
    cancel = Cancel()
    cancel.request()
    assert list(desk.service.tidy(cancel)) == []
    assert list(desk.service.tidy(Cancel())) == [Saving()]
    assert len(disk.held) == 1


def test_a_disk_that_is_full_is_told_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = opened(tmp_path, ScriptedDisk(), "Uno.", "Due.")
    desk.ask("One?")

    def full(*_: object) -> None:
        raise StoreError("KV snapshots cannot be written to /kv: No space left on device")

    monkeypatch.setattr(desk.model.cache, "save", full)
    events = list(desk.service.tidy(Cancel()))
    assert events == [Saving(), Warned("KV snapshots cannot be written to /kv: No space left on device")]
    assert desk.ask(AskRequest("Two?", resume=True)).error is None


def test_the_turns_that_are_folded_come_from_disk_too(tmp_path: Path, disk: ScriptedDisk) -> None:
    sampling = Sampling(max_tokens=20)
    for number in range(9):
        desk = Desk(tmp_path, ScriptedModel(disk=disk, window=1024))
        question = f"Question {number}, which goes on for quite a while, as people do at times?"
        receipt = desk.ask(AskRequest(question, resume=True, sampling=sampling))
        assert receipt.error is None
        assert number == 0 or (receipt.kv and receipt.kv.restored > 0)
        list(desk.service.tidy(Cancel()))
    assert desk.blocks()


def test_a_history_larger_than_the_window_is_folded_from_disk(tmp_path: Path, disk: ScriptedDisk) -> None:
    sampling = Sampling(max_tokens=64)
    before = Desk(tmp_path, ScriptedModel(disk=disk, window=4096))
    for number in range(12):
        before.ask(AskRequest(f"Question {number}, is it not?", resume=True, sampling=sampling))
    list(before.service.tidy(Cancel()))
    desk = Desk(tmp_path, ScriptedModel(disk=disk, window=1024))
    events = list(desk.events(AskRequest("And?", resume=True, sampling=sampling)))
    (compacted,) = (event for event in events if isinstance(event, Compacted))
    (aside,) = (generation for generation in desk.model.generations if generation.aside)
    assert before.model.cache.cells() > 1024
    assert len(aside.ids) > 400
    assert 0 < compacted.evaluated < 60


def test_restorations_join_and_count_what_is_reused() -> None:
    first = Restoration(256, 512, ("a",))
    assert first.then(Restoration(0, 0, ("b",))) == Restoration(256, 512, ("a", "b"))
    assert first.then(Restoration(128, 400)) == Restoration(128, 512, ("a",))
    assert [first.of(reused) for reused in (0, 256, 300, 512, 600)] == [0, 0, 44, 256, 256]
    assert first.then(Restoration(refused=("b", "c"))).miss == (
        "snapshot refused: a, and 2 more; what it held is read again"
    )


def test_a_list_shows_what_each_conversation_takes_and_deleting_gives_it_back(
    tmp_path: Path, disk: ScriptedDisk
) -> None:
    desk = opened(tmp_path, disk)
    asked(desk, "One?")
    service = ConversationService(desk.record, disk, "")
    (listed,) = service.listing()
    assert listed.snapshot_bytes == desk.model.cache.cells() * BYTES_PER_TOKEN
    fork = service.fork(None)
    service.delete(listed.conversation)
    assert {one.conversation.id: one.snapshot_bytes for one in service.listing()} == {
        fork.id: listed.snapshot_bytes
    }
    service.delete(fork)
    assert disk.held == {}
