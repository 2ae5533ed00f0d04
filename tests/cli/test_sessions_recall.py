"""`ctxchat sessions recall` in processes of its own, as the contract has it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ctxchat.domain.errors import UsageError
from tests.cli.conftest import Ran

Run = Callable[..., Ran]
SAID = [
    ("D1:1", "user", "Ann", "2023-05-08T13:56:00+00:00", "My sister breeds alpacas near Turin."),
    ("D1:2", "assistant", None, "2023-05-08T13:57:00+00:00", "How lovely! Do they need much land?"),
    ("D1:3", "user", "Ann", "2023-05-08T13:58:00+00:00", "Two hectares, she says. And I repair organs."),
    ("D2:1", "user", "Ann", "2023-06-10T09:00:00+00:00", "The weather was awful all week."),
]
KEYS = ("id", "role", "name", "at", "text")
LINES = "".join(
    json.dumps({k: v for k, v in zip(KEYS, said, strict=True) if v is not None}) + "\n" for said in SAID
).encode()
DATE_TOKENS = 7  # of "8 May 2023" in SmolLM2's vocabulary


@pytest.fixture
def session(run: Run) -> str:
    return run("sessions", "import", "-", "--name", "alpacas", stdin=LINES).stdout.strip()


def hits(ran: Ran) -> list[dict[str, Any]]:
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)["hits"]


@pytest.mark.model
def test_every_message_is_ranked_and_shown_with_its_tokens(run: Run, session: str, smollm2: object) -> None:
    ran = run("sessions", "recall", "alpacas", "who", "breeds alpacas?", "--json")
    found = hits(ran)
    assert json.loads(ran.stdout)["query"] == "who breeds alpacas?"
    assert {hit["turn"] for hit in found} == {said[0] for said in SAID}
    assert list(found[0]) == ["turn", "role", "at", "score", "tokens", "text"]
    assert [found[0][key] for key in ("turn", "role", "at", "text")] == [*SAID[0][:2], *SAID[0][3:]]
    assert 8 < found[0]["tokens"] < 20
    assert [hit["score"] for hit in found] == sorted((hit["score"] for hit in found), reverse=True)


@pytest.mark.model
def test_a_budget_holds_lines_and_the_date_of_each_sitting_once(
    run: Run, session: str, smollm2: object
) -> None:
    def packed(budget: int) -> list[dict[str, Any]]:
        return hits(run("sessions", "recall", session, "alpacas", "--json", "--budget", str(budget)))

    ranked = hits(run("sessions", "recall", session, "alpacas", "--json", "-k", "4"))
    enough = ranked[0]["tokens"] + DATE_TOKENS
    assert ranked[0] not in packed(enough - 1)
    assert packed(enough)[0] == ranked[0]
    sitting = [hit["turn"] for hit in ranked if hit["turn"].startswith("D1")]
    whole = sum(hit["tokens"] for hit in ranked if hit["turn"] in sitting) + DATE_TOKENS
    assert [hit["turn"] for hit in packed(whole)] == sitting


@pytest.mark.model
def test_what_does_not_fit_is_skipped_and_a_count_still_holds(
    run: Run, session: str, smollm2: object
) -> None:
    everything = hits(run("sessions", "recall", session, "alpacas", "--json", "--budget", "9999"))
    assert len(everything) == len(SAID)
    one = hits(run("sessions", "recall", session, "alpacas", "--json", "--budget", "9999", "-k", "1"))
    assert one == everything[:1]
    assert hits(run("sessions", "recall", session, "alpacas", "--json", "--budget", "1")) == []


@pytest.mark.model
def test_each_line_of_stdin_gets_its_line(run: Run, session: str, smollm2: object) -> None:
    asked = "alpacas\n\nthe “weather” \\ \u2028?\r\n\xff"
    ran = run("sessions", "recall", session, "-", "-k", "1", stdin=asked.encode("latin-1", "replace"))
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [answer["query"] for answer in answers[:2]] == ["alpacas", ""]
    assert len(answers) == 4
    assert [len(answer["hits"]) for answer in answers[:3]] == [1, 0, 1]
    assert answers[2]["hits"][0]["turn"] == "D2:1"


@pytest.mark.model
def test_without_json_there_is_a_table(run: Run, session: str, smollm2: object) -> None:
    ran = run("sessions", "recall", session, "alpacas", "-k", "1")
    header, row = ran.stdout.splitlines()
    assert header.split() == ["MESSAGE", "AT", "ROLE", "SCORE", "TOKENS", "TEXT"]
    assert row.startswith("D1:1")
    assert row.endswith(SAID[0][-1])


def test_a_conversation_that_is_not_there_is_named(run: Run, session: str) -> None:
    ran = run("sessions", "recall", "lamas", "alpacas")
    assert ran.returncode == UsageError.exit_code
    assert 'no conversation "lamas"' in ran.stderr
    assert not ran.stdout


def test_a_blank_question_is_a_usage_error(run: Run, session: str) -> None:
    ran = run("sessions", "recall", session, " ")
    assert ran.returncode == UsageError.exit_code
    assert ran.stderr.startswith("ctxchat: there is nothing to look for")
