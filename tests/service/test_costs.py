"""What a turn costs is foretold before it is read, and learned after it is answered."""

import io
from pathlib import Path

import pytest

from ctxchat.cli.terminal.status import StatusLine
from ctxchat.context.alternatives import Choice
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.events import CostPredicted, Prefilled
from ctxchat.domain.receipt import KvCost, Predicted
from ctxchat.service.request import AskRequest
from tests.support.desk import Desk
from tests.support.scripted import ScriptedDisk, ScriptedModel
from tests.support.written_costs import WrittenCosts

CURVE = CostCurve(k=0.5, a=0.01, b=0.0001, c=0.02, e=0.00001)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, ScriptedModel(["One.", "Two."]))


def test_nothing_is_foretold_until_a_curve_is_known(desk: Desk) -> None:
    assert desk.ask("Hello?").predicted == Predicted()
    desk.model.costs = WrittenCosts(None)
    assert desk.ask("Hello?").predicted == Predicted()


def test_the_receipt_says_what_was_foretold_before_the_prompt_was_read(desk: Desk) -> None:
    costs = desk.model.costs = WrittenCosts(CURVE)
    desk.ask("Hello?")
    foretold = None
    for event in desk.events(AskRequest("And?", resume=True)):
        if isinstance(event, CostPredicted):
            foretold = event
            costs.now = CostCurve(9, 9, 9, 9, 9)
    assert foretold
    kv = foretold.kv
    assert foretold.curve == CURVE
    assert kv.reused > 0
    assert foretold.predicted.prefill == CURVE.prefill(kv.evaluated, kv.reused)
    assert foretold.predicted.decode_per_token == CURVE.decode(kv.reused + kv.evaluated)


def test_what_was_seen_is_learned_behind_the_answer(desk: Desk) -> None:
    costs = desk.model.costs = WrittenCosts(CURVE)
    receipt = desk.ask("Hello?")
    assert receipt.predicted.prefill
    assert costs.learned == 0
    list(desk.service.tidy(Cancel()))
    assert costs.learned == 1


@pytest.mark.parametrize("each", [None, 0.001])
def test_what_comes_back_from_disk_is_foretold_too(tmp_path: Path, each: float | None) -> None:
    disk = ScriptedDisk()
    first = Desk(tmp_path, ScriptedModel(["One."], disk=disk))
    first.ask("Hello?")
    list(first.service.tidy(Cancel()))
    desk = Desk(tmp_path, ScriptedModel(["Two."], disk=disk))
    desk.model.costs = WrittenCosts(CURVE, each)
    receipt = desk.ask(AskRequest("And?", resume=True))
    assert receipt.kv
    assert receipt.kv.restored > 0
    reading = CURVE.prefill(receipt.kv.evaluated, receipt.kv.reused)
    assert receipt.predicted.prefill == pytest.approx(reading + receipt.kv.restored * (each or 0))


def test_an_alternative_waits_for_the_disk_as_the_plan_does(tmp_path: Path) -> None:
    disk = ScriptedDisk()
    first = Desk(tmp_path, ScriptedModel(["One.", "Two."], disk=disk))
    first.ask("Hello?")
    first.ask(AskRequest("And?", resume=True))
    list(first.service.tidy(Cancel()))
    desk = Desk(tmp_path, ScriptedModel(disk=disk))
    desk.model.costs = WrittenCosts(CURVE, each_restored=1.0)
    receipt = desk.ask(AskRequest("Then?", resume=True, dry_run=True))
    costing = desk.service.costing(receipt)
    assert costing
    assert receipt.prompt
    same, other = (costing.alternative(Choice(receipt.prompt.usable, kind)) for kind in ("f16", "q8_0"))
    assert same.prefill == receipt.predicted.prefill
    assert other.evaluated == other.total
    none = costing.alternative(Choice(receipt.prompt.usable, "f16", turns=0))
    held = none.total - none.evaluated
    assert receipt.kv
    assert 0 < held < receipt.kv.restored
    assert none.prefill == pytest.approx(CURVE.prefill(none.evaluated, held) + held)


def test_a_plan_foretells_each_alternative_by_the_curve_of_its_keys(desk: Desk) -> None:
    desk.model.costs = WrittenCosts(CURVE)
    receipt = desk.ask(AskRequest("Hello?", dry_run=True))
    costing = desk.service.costing(receipt)
    assert costing
    choices = costing.alternatives()
    assert {choice.type_k for choice in choices} == {"f16", "q8_0"}
    for choice in choices:
        held = choice.total - choice.evaluated
        known = choice.type_k == "f16"
        assert choice.prefill == (CURVE.prefill(choice.evaluated, held) if known else None)


def test_the_status_line_says_what_is_left_by_the_curve_and_how_it_went_so_far() -> None:
    err, now = io.StringIO(), [0.0]
    line = StatusLine(err, lambda: 200, clock=lambda: now[0])
    kv = KvCost(1000, 2048, 0, 1000, 100, "f16", "f16")
    curve = CostCurve(k=0, a=0.001, b=0.00001, c=0.01, e=0)
    line.show(CostPredicted(kv, Predicted(), curve))
    line.show(Prefilled(0, 1000))
    now[0] = 2 * curve.prefill(500)
    line.show(Prefilled(500, 1000))
    left = 2 * (curve.prefill(1000) - curve.prefill(500))
    assert f"{left:.2f} s left" in err.getvalue()


def test_what_was_read_ahead_makes_the_rest_look_no_quicker() -> None:
    err, now = io.StringIO(), [0.0]
    line = StatusLine(err, lambda: 200, clock=lambda: now[0])
    curve = CostCurve(k=0, a=0.001, b=0.00001, c=0.01, e=0)
    line.show(CostPredicted(KvCost(1000, 2048, 0, 1000, 100, "f16", "f16"), Predicted(), curve, ahead=600))
    line.show(Prefilled(0, 1000))
    line.show(Prefilled(600, 1000))
    assert "left" not in err.getvalue()
    now[0] = 2 * curve.prefill(200, 600)
    line.show(Prefilled(800, 1000))
    assert f"{2 * curve.prefill(200, 800):.2f} s left" in err.getvalue()
    assert f"{200 / now[0]:.1f} tok/s" in err.getvalue()
