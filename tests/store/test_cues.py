"""What a question says of who spoke, and when."""

from datetime import UTC, datetime

import pytest

from ctxchat.store.cues import asks_when, named_dates, named_speaker

JULY_31 = datetime(2023, 7, 31, 12, tzinfo=UTC)
MAY_3 = datetime(2023, 5, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "question",
    [
        "What did she bake on 31 July, 2023?",
        "what happened on july 31st",
        "What was new in July?",
        "What did I say on 2023-07-31?",
        "What was planned in 2023-07?",
        "Where were we in 2023?",
        "Was it in June or July?",
        "Jul 31 at 10:05",
    ],
)
def test_a_date_that_is_named_is_the_day_it_was(question: str) -> None:
    assert named_dates(question).hold(JULY_31)


@pytest.mark.parametrize(
    "question", ["on 30 July 2023", "in June", "July 2022", "2023-07-30", "2022", "on May 31"]
)
def test_another_date_is_not(question: str) -> None:
    dates = named_dates(question)
    assert dates
    assert not dates.hold(JULY_31)


@pytest.mark.parametrize(
    "question",
    ["may I ask?", "May I ask?", "a protest march of 31 people", "room 31", "1:31", "", "31-07 times"],
)
def test_what_is_no_date_names_none(question: str) -> None:
    assert not named_dates(question)


def test_a_month_that_is_also_a_verb_is_one_where_it_is_written_so() -> None:
    assert named_dates("What was said in May?").hold(MAY_3)


def test_a_question_of_when_is_known() -> None:
    assert asks_when("When did she leave?")
    assert asks_when("in what year was that")
    assert not asks_when("Whenever it rains, who stays?")


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("What did Ann say?", 0),
        ("what is ann's dog called", 0),
        ("What does Will want?", 1),
        ("what will be?", None),
        ("Did Ann tell Will?", None),
        ("Who said it?", None),
        ("Annabel?", None),
    ],
)
def test_the_one_speaker_that_is_named_is_meant(question: str, place: int | None) -> None:
    assert named_speaker(("Ann Lee", "Will"), question) == place
