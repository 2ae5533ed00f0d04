"""What a person took out of a conversation is named where reuse ends, in another process too."""

from pathlib import Path

import pytest

from ctxchat.context.attachments import Attachment
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Omission
from ctxchat.domain.events import Settling
from ctxchat.domain.sampling import Sampling
from ctxchat.service.request import AskRequest
from tests.support.desk import Desk
from tests.support.scripted import ScriptedDisk, ScriptedModel

ANSWER = "An answer that is long enough to be missed."
SHORT = Sampling(max_tokens=64)


def again(question: str, **changes: object) -> AskRequest:
    return AskRequest(question, resume=True, **changes)  # type: ignore[arg-type]


def miss(desk: Desk, request: AskRequest) -> str | None:
    receipt = desk.ask(request)
    assert receipt.error is None
    assert receipt.kv
    return receipt.kv.miss


def desk_of(folder: Path, disk: ScriptedDisk) -> Desk:
    return Desk(folder, ScriptedModel([ANSWER] * 9, disk=disk))


def reopened(desk: Desk, folder: Path, disk: ScriptedDisk, *, anew: bool) -> Desk:
    """The same desk, or another process over what it kept."""
    list(desk.service.tidy(Cancel()))
    return desk_of(folder, disk) if anew else desk


@pytest.mark.parametrize("anew", [False, True])
def test_a_turn_that_a_person_left_out(tmp_path: Path, anew: bool) -> None:
    disk = ScriptedDisk()
    desk = desk_of(tmp_path, disk)
    for question in ("One?", "Two, is it?", "Then three?"):
        desk.ask(again(question))
    desk = reopened(desk, tmp_path, disk, anew=anew)
    latest = desk.record.latest()
    assert latest
    desk.record.leave_out(latest.id, desk.path()[2].id, Omission.TURN)
    told = miss(desk, again("And?"))
    assert told
    assert told.endswith("tokens: you left out an earlier turn")
    assert miss(desk, again("So?")) is None


@pytest.mark.parametrize("anew", [False, True])
def test_what_a_person_gave_back_of_a_turn(tmp_path: Path, anew: bool) -> None:
    disk = ScriptedDisk()
    desk = desk_of(tmp_path, disk)
    desk.ask(again("What turns?", attachments=(Attachment("a.md", "The key turns. " * 9),)))
    desk.ask(again("And then?"))
    desk = reopened(desk, tmp_path, disk, anew=anew)
    latest = desk.record.latest()
    assert latest
    desk.record.leave_out(latest.id, desk.path()[0].id, Omission.ATTACHED)
    told = miss(desk, again("Now?"))
    assert told
    assert told.endswith("tokens: you gave back what was attached to an earlier turn")
    assert miss(desk, again("So?")) is None


@pytest.mark.parametrize("anew", [False, True])
def test_a_settling_behind_a_compaction_that_was_cancelled(tmp_path: Path, anew: bool) -> None:
    disk = ScriptedDisk()

    def opened() -> Desk:
        return Desk(tmp_path, ScriptedModel(window=1024, disk=disk), stays=True)

    desk, cancel = opened(), Cancel()
    while not cancel.requested:
        assert miss(desk, again("Go on, will you?", sampling=SHORT)) is None or not disk.held
        for event in desk.service.tidy(cancel):
            if isinstance(event, Settling) and event.done:
                assert event.done < event.total
                cancel.request()
    receipt = (opened() if anew else desk).ask(again("And?", sampling=SHORT))
    assert receipt.kv
    assert receipt.kv.reused > 0
    assert receipt.kv.miss
    assert receipt.kv.miss.endswith("tokens: the oldest turns were folded into a summary")
