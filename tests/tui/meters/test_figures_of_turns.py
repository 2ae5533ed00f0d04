from pathlib import Path

from ctxchat.domain.events import TurnFinished
from ctxchat.tui.meters.figures import Figures, of_conversation
from ctxchat.tui.meters.shares import cell_shares, window_shares
from tests.support.desk import Desk
from tests.support.scripted import ScriptedModel


def test_figures_follow_real_turns_to_the_cell_and_to_the_token(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ScriptedModel())
    figures, receipts, at = Figures(), [], 0.0
    for question in ("How does the loop end?", "And when it fails?"):
        for event in desk.events(question):
            before, at = figures, at + 0.1
            figures = figures.after(event, at)
            window, cells = window_shares(figures), cell_shares(figures)
            assert window is None or sum(window.parts.values()) == window.window
            assert cells is None or sum(cells.parts.values()) == cells.window
            if isinstance(event, TurnFinished):
                receipts.append(event.receipt)
                assert event.receipt.kv is not None
                assert before.cells == event.receipt.kv.cells == figures.cells
                assert before.speed.prefill is not None
                assert before.speed.first_token is not None
    assert len(receipts) == 2
    again = of_conversation(receipts)
    assert (again.turns, again.kv, again.prompt) == (figures.turns, figures.kv, figures.prompt)
