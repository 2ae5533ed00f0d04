"""What is said in the measured conversation is always the same, and each question has one answer."""

import re
from itertools import pairwise

from ctxchat.service.bench_talk import ASK_EVERY, ASKED, plan, talk

MANY = 400
SUBJECTS = [re.escape(words).replace(r"\{subject\}", "(.+)") for _, words in ASKED]


def test_the_same_is_said_every_time_and_a_longer_talk_begins_like_a_shorter() -> None:
    assert talk(20) == talk(20)
    assert talk(40)[:20] == talk(20)
    assert len(talk(7)) == 7


def test_what_is_asked_was_told_once_and_before() -> None:
    said = talk(MANY)
    for number, saying in enumerate(said):
        if saying.evidence is None:
            continue
        assert saying.evidence not in saying.text
        (subject,) = (found[1] for form in SUBJECTS if (found := re.fullmatch(form, saying.text)))
        telling = [at for at, other in enumerate(said) if not other.evidence and subject in other.text]
        assert len(telling) == 1
        assert telling[0] < number
        assert saying.evidence in said[telling[0]].text


def test_every_fourth_turn_asks() -> None:
    said = talk(MANY)
    asking = [at for at, saying in enumerate(said, start=1) if saying.evidence]
    assert asking == list(range(ASK_EVERY, MANY + 1, ASK_EVERY))


def test_no_two_plans_can_be_taken_for_each_other() -> None:
    plans = [plan(number) for number in range(MANY)]
    for one in ("subject", "budget", "path"):
        assert len({getattr(each, one) for each in plans}) == MANY
    assert all(former.leader != later.leader for former, later in pairwise(plans))
