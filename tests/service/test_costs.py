"""What a turn costs is foretold before it is read, and learned after it is answered."""

import io
from pathlib import Path

import pytest

from ctxchat.cli.terminal.status import StatusLine
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.events import CostPredicted, Prefilled
from ctxchat.domain.receipt import KvCost, Predicted
from ctxchat.service.request import AskRequest
from tests.support.desk import Desk
from tests.support.scripted import ScriptedModel

CURVE = CostCurve(k=0.5, a=0.01, b=0.0001, c=0.02, e=0.00001)


class WrittenCosts:
    """Costs that are written down; what is learned is only counted."""

    def __init__(self, curve: CostCurve | None) -> None:
        self.now = curve
        self.learned = 0

    def curve(self, type_k: str | None = None) -> CostCurve | None:
        return self.now if type_k in (None, "f16") else None

    def learn(self) -> None:
        self.learned += 1


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
