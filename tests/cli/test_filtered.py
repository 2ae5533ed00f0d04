"""What filters and recall did is told: in a line, in the ledger, as JSON, and as the text itself."""

import io
from collections.abc import Iterable
from dataclasses import replace

import pytest

from ctxchat.cli.answer_views import event_json
from ctxchat.cli.filtered import FilteredInput
from ctxchat.cli.notices import Notices
from ctxchat.cli.output import views_of
from ctxchat.cli.receipt import filters_json, notes_json
from ctxchat.cli.terminal.screen import Screen
from ctxchat.display.ledger import ledger
from ctxchat.display.plain_text import clean
from ctxchat.display.progress import Meters
from ctxchat.display.steps import filtered
from ctxchat.domain.conversation import Section
from ctxchat.domain.events import Filtered, NotesFound, PromptBuilt, TurnEvent
from ctxchat.domain.prompt import Piece
from ctxchat.domain.receipt import Citation, FilterStep
from tests.cli.test_options import parse
from tests.support.shown_turns import PROMPT, failed, receipt, turn

STEPS = (
    FilterStep("log templates", 8978, 3000),
    FilterStep("repeated lines", 3000, 1500),
    FilterStep("relevant lines", 1500, 1204),
)
CITED = Citation("n1", "a1", "notes", "doc\x1b.md:1-9", 0.714, 61, cited=True, overlaps=True)
NOTES = (
    CITED,
    replace(CITED, label="n2", cited=False, overlaps=None),
    replace(CITED, label="n3", overlaps=False),
    Citation("n9", cited=True),
)


def streams(out: io.StringIO, err: io.StringIO, *, terminal: bool, colour: bool = False) -> Screen:
    return Screen(out, err, terminal, terminal, False, colour, False)


def shown(events: Iterable[TurnEvent], *words: str, terminal: bool = False) -> tuple[str, str]:
    """What stands on stdout and stderr after a turn, shown as these flags want it."""
    out, err = io.StringIO(), io.StringIO()
    views = views_of(parse(*words), streams(out, err, terminal=terminal))
    for event in events:
        for view in views:
            view.show(event)
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        (STEPS, "8,978 → 1,204 tokens by 3 rules"),
        (STEPS[:1], "8,978 → 3,000 tokens by 1 rule"),
        ((*STEPS, FilterStep("log templates", 500, 100)), "9,478 → 1,304 tokens by 3 rules"),
        ((FilterStep("flood", 9_000_000, 8978, exact=False), *STEPS), "~9,000,000 → 1,204 tokens by 4 rules"),
        ((*STEPS, FilterStep("flood", 9, 8, exact=False)), "~8,987 → ~1,212 tokens by 4 rules"),
    ],
)  # fmt: skip
def test_filtering_is_one_line_with_what_is_not_exact_marked(
    steps: tuple[FilterStep, ...], line: str
) -> None:
    assert filtered(steps) == line


@pytest.mark.parametrize("words", [(), ("-q",), ("--json",), ("--events",)])
def test_filtering_is_told_on_stderr_always(words: tuple[str, ...]) -> None:
    _, err = shown([Filtered(STEPS, ("short",)), *turn(["x"])], *words)
    assert err == "ctxchat: 8,978 → 1,204 tokens by 3 rules\n"


def test_exact_is_told_in_json_only_where_a_number_is_not() -> None:
    steps = filters_json([STEPS[0], replace(STEPS[0], exact=False)])
    assert steps == [
        {"rule": "log templates", "before": 8978, "after": 3000},
        {"rule": "log templates", "before": 8978, "after": 3000, "exact": False},
    ]


def test_events_carry_the_parts_of_the_receipt_and_no_text() -> None:
    assert event_json(Filtered(STEPS, ("text",))) == {"type": "filtered", "filters": filters_json(STEPS)}
    assert event_json(NotesFound(NOTES)) == {"type": "notes_found", "notes": notes_json(NOTES)}


def test_a_note_in_json_has_the_fields_of_the_contract() -> None:
    assert notes_json([CITED]) == [
        {
            "label": "n1", "id": "a1", "collection": "notes", "source": "doc\x1b.md:1-9", "score": 0.714,
            "tokens": 61, "cited": True, "overlaps": True,
        }
    ]  # fmt: skip


def test_the_ledger_shows_filters_and_notes() -> None:
    text = ledger(receipt(filters=(STEPS[0], replace(STEPS[1], exact=False)), notes=NOTES))
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert "log templates 8,978 3,000" in rows
    assert "repeated lines ~3,000 ~1,500" in rows
    assert "n1 0.71 61 doc.md:1-9 cited" in rows
    assert "n2 0.71 61 doc.md:1-9" in rows
    assert "n3 0.71 61 doc.md:1-9 cited, and the answer shares no words with it" in rows
    assert "n9 – 0 – cited, and there is no such note" in rows


def test_the_status_line_counts_what_was_recalled() -> None:
    meters = Meters(lambda: 0.0)
    meters.show(NotesFound(NOTES))
    assert meters.line == "notes and old turns recalled: 4"


def test_what_filters_made_of_the_input_stands_before_the_answer() -> None:
    out, _ = shown([Filtered(STEPS, ("one\n", "two\x1b")), *turn(["Answer."])], "--show-filtered")
    assert out == "one\n\ntwo\x1b\n\nAnswer.\n"
    out, _ = shown(
        [Filtered(STEPS, ("one\n", "two\x1b")), *turn(["Answer."])], "--show-filtered", terminal=True
    )
    assert "one\n\ntwo\n\n" in out


def test_with_a_dry_run_it_stands_alone() -> None:
    events = [Filtered(STEPS, ("one", "two")), *turn([], finish=None)]
    assert shown(events, "--show-filtered", "--dry-run")[0] == "one\n\ntwo\n"


def test_where_nothing_was_filtered_the_text_is_shown_as_it_is_sent() -> None:
    pieces = (
        Piece(Section.DATA, "of a past turn", (1,), owner="m1", turn=1),
        Piece(Section.QUESTION, "Then?", (1,), owner="m1", turn=1),
        Piece(Section.TEMPLATE, "```log\n", (1,), owner="m2", turn=2),
        Piece(Section.DATA, "first\n", (1,), owner="m2", turn=2),
        Piece(Section.DATA, "second", (1,), owner="m2", turn=2),
        Piece(Section.QUESTION, "Now?", (1,), owner="m2", turn=2),
    )
    out = io.StringIO()
    FilteredInput(out, clean, lambda: None, alone=True).show(PromptBuilt(replace(PROMPT, pieces=pieces)))
    assert out.getvalue() == "first\n\nsecond\n"
    assert shown(turn(["x"]), "--show-filtered")[0] == "x\n"
    assert shown([failed(4, "too large")], "--show-filtered")[0] == ""


def cited_turn() -> list[TurnEvent]:
    return list(turn(["Answer [n1]."], notes=NOTES))


def test_on_a_terminal_sources_stand_below_the_answer() -> None:
    _, err = shown(cited_turn(), "-q", terminal=True)
    assert err.splitlines() == [
        "[n1] doc.md:1-9",
        "[n3] doc.md:1-9 (the answer shares no words with it)",
        "[n9] no such note",
    ]


@pytest.mark.parametrize(("words", "terminal"), [((), False), (("--json",), True), (("--events",), True)])
def test_elsewhere_there_are_no_footnotes(words: tuple[str, ...], terminal: bool) -> None:
    assert shown(cited_turn(), "-q", *words, terminal=terminal)[1] == ""


def test_an_answer_that_cites_nothing_has_no_footnotes() -> None:
    assert shown(turn(["x"], notes=NOTES[1:2]), "-q", terminal=True)[1] == ""


def test_footnotes_are_dim_where_there_is_colour() -> None:
    err = io.StringIO()
    screen = streams(io.StringIO(), err, terminal=True, colour=True)
    notices = Notices(screen, None, usage=False, stats=False, footnotes=True)
    for event in turn(["x"], notes=(CITED,)):
        notices.show(event)
    assert err.getvalue() == "\x1b[2m[n1] doc.md:1-9\x1b[0m\n"
