"""`ctxchat pin` in processes of its own."""

import json
from collections.abc import Callable

import pytest

from ctxchat.domain.errors import StoreError, UsageError
from ctxchat.store.conversations import SqliteConversations
from tests.cli.conftest import Ran
from tests.support.messages import say

Run = Callable[..., Ran]
USAGE, BUSY = UsageError.exit_code, StoreError.exit_code


def listed(run: Run, *words: str) -> list[tuple[str, bool]]:
    pins = json.loads(run("pin", "list", "--json", *words).stdout)
    return [(pin["text"], pin["pending"]) for pin in pins]


def test_pins_are_added_listed_and_removed_by_a_beginning_of_their_id(
    run: Run, record: SqliteConversations
) -> None:
    other = record.create("other", "").id
    id_ = record.create("talk", "").id
    first = run("pin", "add", "Answer", "in French.").stdout.strip()
    say(record, id_, "q", "a")
    second = run("pin", "add", "tab\there é").stdout.strip()
    assert run("pin", "add", "elsewhere", "--session", "other").returncode == 0
    assert run("pin", "list", "--session", "talk").stdout.splitlines()[1:] == [
        f"{first}  before the history    Answer in French.",
        f"{second}  in the next question  tab here é",
    ]
    assert listed(run, "--session", "talk") == [("Answer in French.", False), ("tab\there é", True)]
    removed = run("pin", "remove", first[:15], "--session", id_)
    assert (removed.returncode, removed.stdout, removed.stderr) == (0, "", "")
    assert listed(run, "--session", id_) == [("tab\there é", True)]
    assert listed(run, "--session", other) == [("elsewhere", False)]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", " "), "cannot be empty"),
        (("remove", "x"), "pin list"),
        (("remove", ""), "pin list"),
        (("list", "--session", "nowhere"), "no conversation"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    run: Run, record: SqliteConversations, words: tuple[str, ...], told: str
) -> None:
    record.create("talk", "", ["kept"])
    ended = run("pin", *words)
    assert (ended.returncode, ended.stdout) == (USAGE, "")
    assert told in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert listed(run) == [("kept", False)]


def test_a_conversation_in_use_is_not_changed(run: Run, record: SqliteConversations) -> None:
    with record.hold(record.create("talk", "").id):
        ended = run("pin", "add", "late")
    assert ended.returncode == BUSY
    assert "in use" in ended.stderr
    assert listed(run) == []
