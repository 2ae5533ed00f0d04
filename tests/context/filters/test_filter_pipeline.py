"""What is sent of a text that is over its share."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxchat.context.filters.pipeline import filtered, fold
from tests.support.floods import FLOODS, Flood

TOKEN = re.compile(r"[^\W\d]{1,6}|\d|[^\w\s]|\s+")
SMALLEST = 30
"""Tokens in which the sentence that all was left out has room."""

LINES = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
        st.builds(
            "2026-11-22 10:00:{:02} ERROR in {} of {}".format,
            st.integers(0, 59),
            st.text(max_size=9),
            st.text(),
        ),
        st.sampled_from(
            [
                "diff --git a/x b/x",
                "@@ -1,3 +1,4 @@",
                "+new",
                "-old",
                " same",
                "{",
                "}",
                '{"a": 1}',
                "a,b,c",
                "1,2,3",
                "",
            ]
        ),
        st.builds(str.__mul__, st.sampled_from("ab \n\r\x1b[({"), st.integers(0, 900)),
    ),
    max_size=60,
)


def count(text: str) -> int:
    return len(TOKEN.findall(text))


@pytest.mark.parametrize("share", [step / 10 for step in range(11)])
@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.name)
def test_the_line_that_answers_is_kept_wherever_it_stands(flood: Flood, share: float) -> None:
    text = flood.text(700, share)
    sent = filtered(text, flood.question, 1000, count)
    assert flood.answer in sent.text
    assert count(sent.text) <= 1000 < count(text)


@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.name)
def test_each_step_begins_where_the_one_before_ended(flood: Flood) -> None:
    text = flood.text(400, 0.5)
    sent = filtered(text, flood.question, 500, count)
    assert sent.steps
    assert sent.steps[0].before == count(text)
    assert sent.steps[-1].after == count(sent.text)
    assert all(earlier.after == later.before for earlier, later in pairwise(sent.steps))


@given(LINES, st.integers(SMALLEST, 300))
@settings(max_examples=150, deadline=None)
def test_what_is_sent_always_fits(lines: list[str], room: int) -> None:
    text = "\n".join(lines)
    assert count(filtered(text, "what went wrong in a b 1?", room, count).text) <= room


@given(LINES)
@settings(max_examples=50, deadline=None)
def test_rules_that_change_nothing_are_not_reported(lines: list[str]) -> None:
    folded = fold("\n".join(lines))
    assert all(earlier != later for (_, earlier), (_, later) in pairwise(folded.versions))
    assert folded.lines.text == folded.text


def test_a_second_question_finds_the_same_beginning() -> None:
    flood = next(flood for flood in FLOODS if flood.name == "syslog")
    text = flood.text(3000, 0.5)
    room = count(fold(text).text) + 300
    first, second = (filtered(text, asked, room, count) for asked in (flood.question, "was port 2223 used?"))
    assert first.text.startswith(fold(text).text)
    assert second.text.startswith(fold(text).text)
    assert flood.answer in first.text
    assert "of the lines left out above, 1 line" in second.text
    assert "port 2223" in second.text


def test_the_text_says_how_much_of_it_is_shown() -> None:
    flood = next(flood for flood in FLOODS if flood.name == "csv")
    sent = filtered(flood.text(500, 0.5), flood.question, 400, count).text
    first, header, *_ = sent.splitlines()
    shown = re.fullmatch(r"\[… showing (\d+) of 501 rows\]", first)
    assert shown
    assert header == "id,place,visitors,share,day"
    rows = [line for line in sent.splitlines()[2:] if line and not line.startswith("[…")]
    assert len(rows) == int(shown[1])


def test_gaps_and_what_is_shown_make_up_the_whole() -> None:
    text = "".join(f"{index:b} alone\n" for index in range(80))
    sent = filtered(text, "", 90, count).text
    left_out = sum(int(number) for number in re.findall(r"\[… (\d+) lines? left out\]", sent))
    shown = re.match(r"\[… showing (\d+) of (\d+) lines\]", sent)
    assert shown
    assert left_out + int(shown[1]) == int(shown[2]) == 80


def test_one_line_without_end_is_cut_inside_and_marked() -> None:
    text = "x1y2 " * 20_000 + "the password is swordfish " + "z3 " * 20_000
    sent = filtered(text, "what is the password?", 300, count).text
    assert "swordfish" in sent
    assert re.search(r"\[… [\d,]+ characters left out\]", sent)
    assert count(sent) <= 300


def test_where_nothing_has_room_it_says_that_all_was_left_out() -> None:
    text = "\n".join(f"line {index} of many lines" for index in range(50))
    assert filtered(text, "why?", 14, count).text == "[… all 50 lines left out]"
    assert filtered(text, "why?", 3, count).text == "[…]"


def test_signatures_stay_around_the_lines_of_code_that_are_asked_for() -> None:
    functions = [
        f"def {name}_{index}(value):\n    total = {index}\n    total += value\n    return total\n\n"
        for index, name in enumerate(["alpha", "beta", "gamma"] * 40)
    ]
    functions.insert(
        60, "class Walrus:\n    def swim(self, depth):\n        speed = 90_210\n        return speed\n\n"
    )
    sent = filtered("".join(functions), "how fast is speed 90_210?", 400, count).text
    assert "class Walrus:\n    def swim(self, depth):\n        speed = 90_210\n        return speed" in sent
    assert "left out]" in sent


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_question_that_names_nothing_finds_the_error_and_its_trace(share: float) -> None:
    texts = [f"10:00:00 INFO {index} served by {index * 7919 % 977:b}.local" for index in range(2000)]
    error = [
        "10:00:01 ERROR broken pipe",
        "Traceback (most recent call last):",
        '  File "a.py", line 3',
        "OSError",
    ]
    place = round(share * len(texts))
    texts[place:place] = error
    assert "\n".join(error) in filtered("\n".join(texts), "what went wrong?", 250, count).text
