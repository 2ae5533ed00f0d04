"""What upkeep does, and leaves, where it is known what work costs, over a scripted model."""

from pathlib import Path

import pytest

from ctxchat.context.attachments import Attachment
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.events import Calibrating, Compacted, Saving
from ctxchat.domain.sampling import Sampling
from ctxchat.service.request import AskRequest
from tests.support.desk import Desk
from tests.support.scripted import ScriptedModel
from tests.support.written_costs import WrittenCosts

DEPTH_IS_FREE = CostCurve(k=0.1, a=0.001, b=0.0, c=0.01, e=0.0)
DEPTH_IS_DEAR = CostCurve(k=0.0, a=0.00001, b=0.001, c=0.0001, e=0.01)
MANUAL = Attachment("manual.md", "Turn the key. " * 20)


def desk_of(folder: Path, curve: CostCurve | None) -> Desk:
    desk = Desk(folder, ScriptedModel(window=1024), stays=True)
    desk.model.costs = WrittenCosts(curve)
    return desk


def asking(question: str, **changes: object) -> AskRequest:
    return AskRequest(question, resume=True, sampling=Sampling(max_tokens=64), **changes)  # type: ignore[arg-type]


def run(desk: Desk, turns: int) -> tuple[int, int]:
    """Compactions while the person read, and while they waited."""
    reading = waiting = 0
    for number in range(turns):
        waiting += sum(isinstance(e, Compacted) for e in desk.events(asking(f"Question {number}?")))
        reading += sum(isinstance(e, Compacted) for e in desk.service.tidy(Cancel()))
    return reading, waiting


def test_where_depth_costs_little_it_is_folded_less_often_and_never_while_the_person_waits(
    tmp_path: Path,
) -> None:
    often, rarely = [
        run(desk_of(tmp_path / str(place), curve), 60) for place, curve in enumerate((None, DEPTH_IS_FREE))
    ]
    assert 0 < rarely[0] < often[0]
    assert rarely[1] == often[1] == 0


@pytest.mark.parametrize(
    ("curve", "given_back"), [(DEPTH_IS_DEAR, True), (DEPTH_IS_FREE, False), (None, False)]
)
def test_a_long_text_of_a_past_turn_is_carried_or_given_back_by_what_that_costs(
    tmp_path: Path, curve: CostCurve | None, given_back: bool
) -> None:
    desk = desk_of(tmp_path, curve)
    desk.ask(asking("What?", attachments=(MANUAL,)))
    list(desk.service.tidy(Cancel()))
    latest = desk.record.latest()
    assert latest
    assert latest.reclaimed is None
    desk.ask(asking("And?"))
    list(desk.service.tidy(Cancel()))
    latest = desk.record.latest()
    assert latest
    assert (latest.reclaimed is not None) == given_back
    receipt = desk.ask(asking("Then?"))
    assert receipt.kv
    assert receipt.kv.evaluated < 20
    assert receipt.kv.miss is None


def idle(desk: Desk, *, stale: bool = True) -> WrittenCosts:
    costs = desk.model.costs = WrittenCosts(DEPTH_IS_FREE)
    costs.stale = stale
    return costs


def test_that_it_is_measured_what_work_costs_is_told_before_and_ends_at_once_for_a_question(
    tmp_path: Path,
) -> None:
    cancel, desk = Cancel(), desk_of(tmp_path, None)
    idle(desk)
    desk.ask("One?")
    events = desk.service.tidy(cancel)
    assert isinstance([next(events) for _ in range(2)][-1], Calibrating)
    cancel.request()
    assert list(events) == []
    assert desk.model.calibrations == 0


def test_where_costs_are_stale_they_are_calibrated_once_while_nobody_waits(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, None)
    idle(desk)
    for _ in range(2):
        desk.ask(asking("One?"))
        list(desk.service.tidy(Cancel()))
    assert desk.model.calibrations == 1


def test_nothing_is_calibrated_that_is_known_nor_where_nobody_stays(tmp_path: Path) -> None:
    known = desk_of(tmp_path / "known", None)
    idle(known, stale=False)
    leaving = Desk(tmp_path / "leaving", ScriptedModel())
    idle(leaving)
    for desk in (known, leaving):
        desk.ask("One?")
        list(desk.service.tidy(Cancel()))
        assert desk.model.calibrations == 0


def test_a_calibration_that_was_cancelled_is_made_up_for(tmp_path: Path) -> None:
    desk, cancel = desk_of(tmp_path, None), Cancel()
    idle(desk)
    desk.ask("One?")
    for event in desk.service.tidy(cancel):
        if isinstance(event, Saving):
            cancel.request()
    assert desk.model.calibrations == 0
    list(desk.service.tidy(Cancel()))
    assert desk.model.calibrations == 1
