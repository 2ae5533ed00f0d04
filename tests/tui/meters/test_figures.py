from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ctxchat.domain.conversation import Section
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.events import (
    Calibrating,
    Compacting,
    CostPredicted,
    ModelLoading,
    Prefilled,
    PromptBuilt,
    TextGenerated,
    TurnEvent,
    Warned,
)
from ctxchat.domain.prompt import Piece, Prompt
from ctxchat.domain.receipt import KvCost, Latency, Predicted
from ctxchat.service.draft_cost import Draft
from ctxchat.tui.meters.colours import ANSWER, DISK, DRAFT, FREE, NEW, RESERVE, REUSED
from ctxchat.tui.meters.figures import KEPT_TURNS, Figures, Speed, Stage, of_conversation
from ctxchat.tui.meters.shares import cell_shares, window_shares
from tests.support.shown_turns import KV, failed, receipt, turn

SECTIONS = st.dictionaries(st.sampled_from(Section), st.integers(0, 900))
WINDOWS = st.integers(65, 9_000)


def prompt_of(sections: dict[Section, int], window: int, reserve: int) -> Prompt:
    pieces = tuple(Piece(section, "", tuple(range(tokens))) for section, tokens in sections.items())
    return Prompt(pieces, window, reserve, verbatim_turns=0)


def seen(*events: TurnEvent, every: float = 0.0) -> Figures:
    figures = Figures()
    for at, event in enumerate(events):
        figures = figures.after(event, at * every)
    return figures


def draft_of(sections: dict[Section, int], tokens: int, window: int = 8192, reserve: int = 1024) -> Draft:
    counts = dict.fromkeys(Section, 0) | sections
    total = sum(counts.values())
    usable = window - reserve
    return Draft(
        tokens, total, counts, window, reserve, usable, 0, total, Predicted(0.5), total <= usable, True
    )


def test_a_calibration_is_told_and_leaves_the_draft_and_the_last_turn_where_they_are() -> None:
    draft = draft_of({Section.QUESTION: 40}, 40)
    before = of_conversation([receipt()])
    figures = before.after(Calibrating(10.0), 1.0)
    assert figures.stage is Stage.MEASURING
    assert figures.speed == before.speed
    assert figures.cells == before.cells
    assert window_shares(figures, draft) == window_shares(before, draft)


@given(SECTIONS, WINDOWS, st.data())
def test_sections_reserve_and_free_make_the_window(
    sections: dict[Section, int], window: int, data: st.DataObject
) -> None:
    reserve = data.draw(st.integers(1, window - 1))
    prompt = prompt_of(sections, window, reserve)
    shares = window_shares(seen(PromptBuilt(prompt)))
    assert shares is not None
    assert sum(shares.parts.values()) == window + max(0, prompt.total - window)
    assert {section: shares.parts[section] for section in Section} == prompt.sections
    if prompt.total + reserve <= window:
        assert shares.parts[RESERVE] == reserve
        assert shares.parts[FREE] == window - reserve - prompt.total


@given(SECTIONS, st.integers(0, 900), WINDOWS)
def test_at_rest_the_window_is_that_of_the_prompt_in_which_a_draft_would_be_sent(
    sections: dict[Section, int], tokens: int, window: int
) -> None:
    counts = sections | {Section.QUESTION: tokens}
    shares = window_shares(Figures(), draft_of(counts, tokens, window, 64))
    assert shares is not None
    total = sum(counts.values())
    assert sum(shares.parts.values()) == window + max(0, total - window)
    assert (shares.parts[DRAFT], shares.parts[Section.QUESTION]) == (tokens, 0)
    assert {shares.parts[section] for section in Section if section not in counts} <= {0}


def test_what_a_draft_attaches_is_a_part_of_it() -> None:
    counts = {Section.DATA: 500, Section.QUESTION: 20, Section.TEMPLATE: 9}
    shares = window_shares(Figures(), draft_of(counts, 320))
    assert shares is not None
    assert (shares.parts[DRAFT], shares.parts[Section.DATA], shares.parts[Section.TEMPLATE]) == (320, 200, 9)


def test_while_a_turn_runs_the_window_is_that_of_its_prompt() -> None:
    assert window_shares(Figures()) is None
    figures = seen(PromptBuilt(prompt_of({Section.HISTORY: 100}, 8192, 1024)))
    shares = window_shares(figures, draft_of({Section.HISTORY: 700}, 20))
    assert shares == window_shares(figures)


def test_cells_grow_with_each_token_that_is_read_and_each_text_that_comes() -> None:
    figures, counts = Figures(), []
    begin = (PromptBuilt(prompt_of({}, 8192, 1024)), CostPredicted(KV, Predicted()))
    for event in (*begin, Prefilled(0, 112), Prefilled(60, 112), Prefilled(112, 112), TextGenerated("a")):
        figures = figures.after(event, 0.0)
        counts.append(figures.cells)
    assert counts == [None, 900, 788, 848, 900, 901]


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000), st.floats(0, 1), st.integers(0, 300))
def test_reused_new_answer_and_free_cells_make_the_capacity(
    reused: int, evaluated: int, restored: int, done: float, texts: int
) -> None:
    total = reused + evaluated
    kv = replace(KV, cells=total, capacity=8192, reused=reused, evaluated=evaluated, restored=restored)
    read = int(done * evaluated)
    answer = [TextGenerated("a")] * texts if read == evaluated else []
    figures = seen(CostPredicted(kv, Predicted()), Prefilled(read, evaluated), *answer)
    shares = cell_shares(figures)
    assert shares is not None
    assert min(shares.parts.values()) >= 0
    assert sum(shares.parts.values()) == shares.window == max(8192, reused + read + len(answer))
    assert shares.parts[REUSED] + shares.parts[DISK] == reused
    assert shares.parts[NEW] == read
    assert shares.parts[ANSWER] == len(answer)


def test_loading_and_folding_do_not_move_the_cells_of_the_turn_before() -> None:
    rest = seen(*turn(["a", "b"]))
    for event in (ModelLoading(5, 100_000), Compacting(9, 2914), Prefilled(3, 700), Warned("x")):
        rest = rest.after(event, 9.0)
        assert rest.cells == KV.cells


def test_rates_are_those_of_the_turn_that_runs() -> None:
    figures = seen(
        CostPredicted(KV, Predicted()), Prefilled(0, 200), Prefilled(100, 200), Prefilled(200, 200), every=0.5
    )
    assert figures.speed == Speed(prefill=200.0)
    figures = figures.after(TextGenerated("a"), 1.75).after(TextGenerated("b"), 2.0)
    assert figures.speed == Speed(prefill=200.0, decode=4.0, first_token=1.25)


def test_the_time_left_follows_the_curve_corrected_by_what_the_beginning_took() -> None:
    curve = CostCurve(0.0, 0.01, 0.0, 0.02, 0.0)
    kv = KvCost(200, 2048, 0, 200, 10, "f16", "f16")
    figures = seen(CostPredicted(kv, Predicted(), curve), Prefilled(0, 200), Prefilled(50, 200), every=1.0)
    assert figures.seconds_left == 3.0
    assert figures.after(Prefilled(200, 200), 9.0).seconds_left is None


def test_a_turn_that_ends_is_the_last_turn_and_one_more_in_the_sparklines() -> None:
    figures = seen(*turn(["a"]), *turn(["b"]))
    assert figures.stage is Stage.RESTING
    assert figures.last is not None
    assert figures.last.answer == "b"
    assert figures.turns == (Speed(273.0, 41.4, 0.43),) * 2
    assert figures.speed == figures.turns[-1]


def test_a_turn_that_got_nowhere_leaves_what_is_known_and_no_turn_in_the_sparklines() -> None:
    before = seen(*turn(["a"]))
    after = before.after(failed(4, "too large"), 5.0)
    assert (after.prompt, after.kv, after.turns) == (before.prompt, before.kv, before.turns)
    assert after.last != before.last


def test_a_conversation_of_receipts_shows_what_its_turns_showed() -> None:
    figures = of_conversation([receipt("a"), receipt("b")])
    ran = seen(*turn(["a"]), *turn(["b"]))
    assert (figures.turns, figures.kv, figures.prompt) == (ran.turns, ran.kv, ran.prompt)


def test_only_as_many_turns_are_kept_as_can_be_shown() -> None:
    rates = [float(rate) for rate in range(1, KEPT_TURNS + 40)]
    figures = of_conversation([receipt(latency=Latency(prefill_rate=rate)) for rate in rates])
    assert len(figures.turns) == KEPT_TURNS
    assert figures.turns[-1].prefill == rates[-1]
    assert all((a.prefill or 0) < (b.prefill or 0) for a, b in pairwise(figures.turns))
