"""On a terminal: blocks, the status line, rendered Markdown and reasoning, drawn on a small screen."""

import io
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxchat.cli.notices import Notices
from ctxchat.cli.reasoning import Reasoning
from ctxchat.cli.terminal.markdown import MarkdownAnswer
from ctxchat.cli.terminal.screen import Screen
from ctxchat.cli.terminal.status import StatusLine
from ctxchat.display.blocks import Blocks
from ctxchat.display.plain_text import clean
from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import ReasoningGenerated, TurnEvent, Warned
from tests.support.screens import SmallScreen
from tests.support.shown_turns import failed, turn

MARKDOWN = (
    "# Title\n\nA paragraph\nof two lines.\n\n- one\n- two\n\n  more of two\n\n1. first\n\n2. second\n\n"
    "```py\nx = 1\n\n\ny = 2\n```\nAfter.\n\n> quoted\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
    "~~~\n```\n~~~\nEnd"
)


class Ticking:
    """A clock that moves a second each time it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def chunked(text: str, cuts: Iterable[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[a:b] for a, b in pairwise(places)]


@given(st.lists(st.integers(min_value=0), max_size=12))
def test_blocks_are_the_same_however_the_text_comes(cuts: list[int]) -> None:
    whole, parts = Blocks(), Blocks()
    expected = [*whole.add(MARKDOWN), whole.finish()]
    found = [block for piece in chunked(MARKDOWN, cuts) for block in parts.add(piece)]
    assert [*found, parts.finish()] == expected
    assert "".join(expected) == MARKDOWN


def test_a_block_ends_where_nothing_can_change_it() -> None:
    blocks = Blocks()
    assert blocks.add("# Title\n\nA par") == []
    assert blocks.add("agraph\n") == ["# Title\n\n"]
    assert blocks.add("of two.\n\n- one\n\n- two\n\n  more\n\nNext\n") == [
        "A paragraph\nof two.\n\n- one\n\n- two\n\n  more\n\n"
    ]
    assert blocks.add("```py\n\nx\n") == ["Next\n"]
    assert blocks.in_code
    assert blocks.add("```\n") == ["```py\n\nx\n```\n"]
    assert not blocks.in_code
    assert blocks.open == ""


def test_only_newline_and_tab_are_left_of_control_characters() -> None:
    every = "".join(map(chr, range(0xA1)))
    assert clean(every) == "\t\n" + "".join(map(chr, range(0x20, 0x7F))) + "\xa0\xa1"[:1]


def test_what_turns_the_direction_of_a_line_is_left_out_and_text_that_is_written_that_way_stays() -> None:
    assert clean("a\u202eb\u2066c\u2069\u202cd") == "abcd"
    assert clean("\u05d0\u200f \u0627") == "\u05d0\u200f \u0627"


def watch(
    screen: SmallScreen, events: Iterable[TurnEvent], *, quiet: bool = False, **wanted: bool
) -> list[str]:
    """Show a turn on a screen that is both streams; returns what stood on it after each event."""
    streams = Screen(screen, screen, True, True, False, False, False)
    status = None if quiet else StatusLine(screen, lambda: screen.columns, clock=Ticking())
    answer = MarkdownAnswer(streams, status, clock=Ticking())
    options = {"usage": False, "stats": False, "footnotes": False} | wanted
    views = (status, Reasoning(streams, status), answer, Notices(streams, status, **options))
    shown = []
    for event in events:
        for view in views:
            if view:
                view.show(event)
        shown.append(screen.text)
    return shown


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> SmallScreen:
    screen = SmallScreen(columns=60, rows=12)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "12")
    return screen


def test_the_status_line_shows_each_phase_and_is_gone_at_the_end(screen: SmallScreen) -> None:
    shown = watch(screen, turn(["Hello", " there"]))
    assert shown[0] == "loading the model 50 %"
    assert "reading 112 of 112 tokens · 100 %" in shown[4]
    assert shown[5].splitlines()[0] == "Hello"
    assert "tok/s" in shown[5]
    assert "KV 901 cells 20.8 MB" in shown[5]
    assert shown[-1] == "Hello there"


def test_prefill_shows_the_time_left_from_the_measured_rate() -> None:
    from ctxchat.display.progress import Meters
    from ctxchat.domain.events import Prefilled

    meters = Meters(Ticking())
    meters.show(Prefilled(0, 300))
    meters.show(Prefilled(100, 300))
    assert meters.line == "reading 100 of 300 tokens · 33 % · 2.00 s left · 100 tok/s"


@given(st.lists(st.integers(min_value=0), max_size=12))
def test_the_screen_ends_the_same_however_the_answer_comes(cuts: list[int]) -> None:
    ends = []
    for texts in ([MARKDOWN], chunked(MARKDOWN, cuts)):
        screen = SmallScreen(columns=60, rows=50)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COLUMNS", "60")
            patch.setenv("LINES", "50")
            ends.append(watch(screen, turn(texts))[-1])
    assert ends[0] == ends[1]
    for said in ("Title", "A paragraph of two lines.", "x = 1", "quoted", "After.", "End"):
        assert said in ends[0]
    assert "```py" not in ends[0]
    assert "tok/s" not in ends[0]


def test_an_open_code_block_longer_than_the_screen_ends_whole(screen: SmallScreen) -> None:
    lines = [f"line {number}\n" for number in range(40)]
    shown = watch(screen, turn(["```\n", *lines, "```\n", "Done."]))
    assert "line 20" in shown[26]
    whole = screen.everything.splitlines()
    assert [line.strip() for line in whole if line.strip()] == [*(f"line {n}" for n in range(40)), "Done."]


def test_control_characters_of_the_answer_do_not_reach_the_screen(screen: SmallScreen) -> None:
    out = io.StringIO()
    streams = Screen(out, io.StringIO(), True, False, False, False, False)
    view = MarkdownAnswer(streams, None, clock=Ticking())
    for event in turn(["a\x1b]0;title\x07b\x9b31mc", "\n```\n\x1b[2J\n```\n"]):
        view.show(event)
    assert "\x1b]" not in out.getvalue()
    assert "\x1b[2J" not in out.getvalue()
    assert "\x9b" not in out.getvalue()


def test_reasoning_and_warnings_stand_above_the_answer_and_the_status_below(screen: SmallScreen) -> None:
    reasoning = ["I think about this for more than one line of a ", "narrow screen, and then\nI am done"]
    shown = watch(screen, [Warned("careful\x1b[2J"), *turn(["Yes."], reasoning=reasoning)])
    assert shown[0] == "ctxchat: careful[2J"
    assert shown[-1].splitlines() == [
        "ctxchat: careful[2J",
        "I think about this for more than one line of a narrow",
        "screen, and then",
        "I am done",
        "Yes.",
    ]


def test_a_cut_answer_and_an_error_are_said(screen: SmallScreen) -> None:
    assert "--max-tokens" in watch(screen, turn(["cut"], finish=Finish.LENGTH))[-1]
    assert watch(SmallScreen(60, 12), [failed(3, "no such model")])[-1] == "ctxchat: no such model"


def test_usage_and_the_ledger_come_last(screen: SmallScreen) -> None:
    assert watch(screen, turn(["Yes."]), usage=True)[-1].startswith("Yes.\n812 in, 87 out")
    watch(wide := SmallScreen(200, 80), turn(["Yes."]), stats=True)
    assert "section   id  turn  tokens  text" in wide.text


def test_off_a_terminal_reasoning_comes_as_it_is_and_ends_its_line() -> None:
    err = io.StringIO()
    streams = Screen(io.StringIO(), err, False, False, False, False, False)
    view = Reasoning(streams, None)
    for event in turn(["x"], reasoning=["so ", "be it"]):
        view.show(event)
    assert err.getvalue() == "so be it\n"


def test_a_warning_behind_reasoning_has_a_line_of_its_own() -> None:
    err = io.StringIO()
    streams = Screen(io.StringIO(), err, False, False, False, False, False)
    views = (Reasoning(streams, None), Notices(streams, None, usage=False, stats=False, footnotes=False))
    for event in (ReasoningGenerated("hm"), Warned("nothing was left"), ReasoningGenerated("so")):
        for view in views:
            view.show(event)
    assert err.getvalue() == "hm\nctxchat: nothing was left\nso"


def test_a_warning_in_the_middle_of_an_answer_takes_nothing_from_it(screen: SmallScreen) -> None:
    *before, end = turn(["One.", " Two."])
    shown = watch(screen, [*before[:-1], Warned("careful"), before[-1], end])
    assert shown[-1].splitlines() == ["One.", "ctxchat: careful", "One. Two."]
