import pytest

from ctxchat.domain.events import Prefilled, TextGenerated
from tests.support.shown_meters import READING, compact, draft_of
from tests.support.shown_turns import turn


@pytest.mark.parametrize("width", [40, 60, 80])
def test_one_row_holds_the_bar_the_word_kv_and_the_tokens_used(width: int) -> None:
    row = compact(turn(["a"]), width=width)
    assert "KV 900/2,048 tokens" in row
    assert "█" in row
    assert len(row) <= width


def test_one_row_says_what_the_turn_is_at_or_what_the_draft_would_cost() -> None:
    assert "reading 25 %, 1.50 s left" in compact(READING)
    assert "2.0 tok/s" in compact([*READING, Prefilled(492, 492), *[TextGenerated("a")] * 4])
    assert "draft 12" in compact(draft=draft_of(12))
    assert "does not fit" in compact(draft=draft_of(9000))


def test_a_row_that_is_too_narrow_for_a_bar_still_has_the_tokens() -> None:
    assert compact(turn(["a"]), width=24).strip() == "KV 900/2,048 tokens"
