"""`ctxchat sessions` in processes of its own, as the contract has it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pexpect
import pytest

from ctxchat import locations
from ctxchat.domain.errors import StoreError, UsageError
from ctxchat.service import wiring
from ctxchat.store.conversations import SqliteConversations
from tests.cli.conftest import Ran
from tests.support.messages import say

Run = Callable[..., Ran]
SAID = [
    {"id": "D1:1", "role": "user", "name": "Ann", "at": "2023-05-08T13:56:00+00:00", "text": "Hey!"},
    {
        "id": "D1:2",
        "role": "assistant",
        "name": "Bo",
        "at": "2023-05-08T13:57:00+00:00",
        "text": "A red\x1b[31m balloon\x9b",
    },
    {"id": "D1:3", "role": "user", "name": "Ann", "at": "2023-05-08T13:58:00+00:00", "text": "Blue balloon"},
]
LINES = "".join(json.dumps(message) + "\n" for message in SAID).encode()
USAGE, STORE = UsageError.exit_code, StoreError.exit_code


@pytest.fixture
def imported(run: Run) -> str:
    return run("sessions", "import", "-", "--name", "balloons", stdin=LINES).stdout.strip()


@pytest.fixture
def terminal(environment: dict[str, str], home: Path) -> Iterator[Callable[..., pexpect.spawn]]:
    started: list[pexpect.spawn] = []

    def start(*words: str) -> pexpect.spawn:
        started.append(
            pexpect.spawn(
                sys.executable,
                ["-m", "ctxchat", "sessions", *words],
                env={**environment, "TERM": "xterm", "NO_COLOR": "1"},
                cwd=str(home),
                encoding="utf-8",
                dimensions=(24, 80),
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.close(force=True)


def test_without_a_store_there_is_nothing_and_nothing_is_made(run: Run) -> None:
    assert (run("sessions", "list").returncode, run("sessions", "list").stdout) == (0, "")
    assert json.loads(run("sessions", "list", "--json").stdout) == []
    assert json.loads(run("sessions", "search", "x", "--json").stdout) == []
    shown = run("sessions", "show")
    assert (shown.returncode, shown.stdout) == (USAGE, "")
    assert "ctxchat ask" in shown.stderr
    assert not locations.data_folder().exists()


def test_an_import_prints_the_new_id_alone_and_takes_the_name_of_its_file(run: Run, home: Path) -> None:
    (home / "summer talk.jsonl").write_bytes(LINES)
    first = run("sessions", "import", "summer talk.jsonl")
    second = run("sessions", "import", "summer talk.jsonl", "--json")
    assert (first.stderr, second.stderr) == ("", "")
    assert len(first.stdout) == 17
    listing = json.loads(run("sessions", "list", "--json").stdout)
    assert json.loads(second.stdout) == {"id": listing[0]["id"], "messages": 3}
    assert first.stdout == listing[1]["id"] + "\n"
    assert [row["name"] for row in listing] == ["summer talk (2)", "summer talk"]


def test_the_list_has_the_fields_of_the_contract(run: Run, imported: str) -> None:
    (row,) = json.loads(run("sessions", "list", "--json").stdout)
    assert datetime.fromisoformat(row.pop("updated")).tzinfo is not None
    assert row == {"id": imported, "name": "balloons", "turns": 2, "tokens": 0, "snapshot_bytes": 0}
    plain = run("sessions", "list").stdout.splitlines()
    assert plain[0].split() == ["ID", "UPDATED", "TURNS", "TOKENS", "NAME"]
    assert plain[1].startswith(imported)
    assert plain[1].endswith("2      0       balloons")


def test_a_transcript_has_the_fields_of_the_contract(run: Run, imported: str) -> None:
    shown = json.loads(run("sessions", "show", imported[:6], "--json").stdout)
    assert (shown["id"], shown["name"]) == (imported, "balloons")
    assert shown["messages"][1] == {
        "id": "D1:2",
        "parent": "D1:1",
        "role": "assistant",
        "name": "Bo",
        "at": "2023-05-08T13:57:00+00:00",
        "text": "A red\x1b[31m balloon\x9b",
        "finish": None,
    }
    plain = run("sessions", "show").stdout
    assert "Ann, 2023-05-08 13:56+00:00:\nHey!\n" in plain
    assert "Ann, 2023-05-08 13:58+00:00 (not answered):\nBlue balloon\n" in plain


def test_a_search_finds_the_best_first_and_says_when_there_is_more(run: Run, imported: str) -> None:
    hits = json.loads(run("sessions", "search", "blue balloon", "--json").stdout)
    assert [(hit["session"], hit["message"]) for hit in hits] == [(imported, "D1:3"), (imported, "D1:2")]
    assert set(hits[0]) == {"session", "message", "role", "at", "text"}
    one = run("sessions", "search", "blue", "balloon", "-k", "1")
    assert one.stdout.count("balloon") == 1
    assert "more than 1" in one.stderr
    assert run("sessions", "search", "zebra").stdout == ""
    assert run("sessions", "search", " ").returncode == USAGE


def test_a_conversation_is_renamed_and_forked(run: Run, imported: str) -> None:
    assert run("sessions", "rename", "balloons", "kites").stdout == ""
    copy = run("sessions", "fork").stdout.strip()
    rows = json.loads(run("sessions", "list", "--json").stdout)
    assert [(row["id"], row["name"], row["turns"]) for row in rows] == [
        (copy, "kites (2)", 2),
        (imported, "kites", 2),
    ]
    taken = run("sessions", "rename", copy, "kites")
    assert (taken.returncode, taken.stderr.count("\n")) == (USAGE, 1)
    assert '"kites"' in taken.stderr


def test_what_was_exported_can_be_imported(run: Run, imported: str) -> None:
    exported = run("sessions", "export", "balloons").stdout
    assert [json.loads(line) for line in exported.splitlines()] == SAID
    again = run("sessions", "import", "-", stdin=exported.encode()).stdout.strip()
    assert run("sessions", "export", again).stdout == exported
    assert json.loads(run("sessions", "export", again, "--format", "json").stdout)["name"] == "Hey!"
    assert run("sessions", "export", "--format", "md").stdout.startswith("# Hey!\n\n## Ann, 2023-")
    assert run("sessions", "export", "--format", "pdf").returncode == USAGE


def test_a_bad_import_names_its_line_and_leaves_nothing(run: Run, home: Path) -> None:
    ended = run("sessions", "import", "-", stdin=LINES + b'{"role": "nobody", "text": ""}')
    assert (ended.returncode, ended.stdout) == (USAGE, "")
    assert "line 4" in ended.stderr
    absent = run("sessions", "import", "absent.jsonl")
    assert (absent.returncode, absent.stderr.count("\n")) == (USAGE, 1)
    assert "absent.jsonl" in absent.stderr
    assert json.loads(run("sessions", "list", "--json").stdout) == []


def test_deleting_needs_a_yes_where_nobody_can_be_asked(run: Run, imported: str) -> None:
    other = run("sessions", "fork").stdout.strip()
    refused = run("sessions", "delete", imported)
    assert refused.returncode == USAGE
    assert "-y" in refused.stderr
    unknown = run("sessions", "delete", imported, "nothing", "-y")
    assert unknown.returncode == USAGE
    assert len(json.loads(run("sessions", "list", "--json").stdout)) == 2
    assert run("sessions", "delete", imported, other, imported, "-y").returncode == 0
    assert json.loads(run("sessions", "list", "--json").stdout) == []


def test_a_damaged_store_is_told_in_one_line(run: Run, imported: str) -> None:
    store = locations.data_folder() / wiring.STORE_FILE
    store.write_bytes(b"not a database " * 1000)
    for words in (["list"], ["show", "--json"], ["fork", imported], ["delete", imported, "-y"]):
        ended = run("sessions", *words)
        assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (STORE, "", 1), words
        assert str(store) in ended.stderr


def test_the_commands_of_the_record_load_no_engine(
    environment: dict[str, str], imported: str, run: Run
) -> None:
    script = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('\\0', *sys.modules))\n"
        "sys.argv = ['ctxchat', 'sessions', 'list', '--json']\n"
        "from ctxchat.cli.process import run; run()"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    modules = set(shown.stdout.partition("\0")[2].split())
    assert "sqlite3" in modules
    assert not modules & {"llama_cpp", "numpy", "jinja2", "rich", "tiktoken", "chromadb", "textual"}


def test_no_control_character_reaches_a_terminal(
    terminal: Callable[..., pexpect.spawn], record: SqliteConversations, imported: str
) -> None:
    say(record, record.create("evil\x1b]0;name\x07", "").id, "evil balloon\x1b[2J\x9b")
    for words in (
        ["list"],
        ["list", "--json"],
        ["show", imported],
        ["show", imported, "--json"],
        ["search", "balloon"],
        ["search", "balloon", "--json"],
        ["export", imported],
        ["export", imported, "--format", "md"],
    ):
        seen = terminal(*words).read()
        assert "balloon" in seen
        styled = seen.replace("\x1b[1m", "").replace("\x1b[0m", "")
        assert not [c for c in styled if (c < " " and c not in "\r\n\t") or "\x7f" <= c <= "\x9f"], words


def test_deleting_asks_on_a_terminal(
    terminal: Callable[..., pexpect.spawn], record: SqliteConversations, imported: str
) -> None:
    for reply, left in (("n", 1), ("y", 0)):
        asked = terminal("delete", imported)
        asked.expect_exact('Delete "balloons" for good? [y/N]')
        asked.sendline(reply)
        asked.expect(pexpect.EOF)
        asked.wait()
        assert asked.exitstatus == 0
        assert len(record.listing()) == left


def test_an_empty_list_gives_a_hint_on_a_terminal(terminal: Callable[..., pexpect.spawn]) -> None:
    assert "ctxchat ask" in terminal("list").read()
