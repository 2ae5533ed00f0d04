"""Several processes at one store, and processes that die."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from ctxchat.domain.conversation import count_turns
from ctxchat.domain.errors import ConversationBusyError
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from tests.support import record_process
from tests.support.messages import say, texts_of

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start(deed: str, argument: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        command = [*prefix, sys.executable, record_process.__file__, str(path), deed, argument]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout
    return [process.stdout.readline().rstrip("\n") for _ in range(count)]


def test_a_conversation_is_held_by_one_process_which_is_named(
    conversations: SqliteConversations, path: Path, start: Start
) -> None:
    id_ = conversations.create("a", "").id
    holder = start("hold", id_)
    assert lines(holder, 1) == ["held"]
    with pytest.raises(ConversationBusyError) as told, conversations.hold(id_):
        pass
    assert f"process {holder.pid}" in str(told.value)
    other = conversations.create("b", "").id
    with conversations.hold(other):
        pass
    holder.communicate("")
    with conversations.hold(id_):
        assert [lock.name for lock in (path.parent / "locks").iterdir()] == [id_]
    assert list((path.parent / "locks").iterdir()) == []


def test_a_conversation_is_free_when_its_holder_is_killed(
    conversations: SqliteConversations, start: Start
) -> None:
    id_ = conversations.create("a", "").id
    holder = start("hold", id_)
    lines(holder, 1)
    holder.kill()
    holder.wait()
    with conversations.hold(id_):
        pass


def test_whoever_waited_for_a_lock_that_was_given_back_holds_it_alone(
    conversations: SqliteConversations, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = conversations.create("a", "").id
    waits, holds, done = Event(), Event(), Event()
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: (waits.set(), sleep(seconds)))

    def second() -> None:
        with SqliteConversations(database, wait=60).hold(id_):
            holds.set()
            done.wait()

    waiting = Thread(target=second)
    with conversations.hold(id_):
        waiting.start()
        waits.wait()
    holds.wait()
    with pytest.raises(ConversationBusyError), conversations.hold(id_):
        pass
    done.set()
    waiting.join()


def test_a_lock_is_given_back_when_its_block_fails(conversations: SqliteConversations) -> None:
    id_ = conversations.create("a", "").id
    with pytest.raises(ValueError, match="mine"), conversations.hold(id_):
        raise ValueError("mine")
    with conversations.hold(id_):
        pass


def test_the_lock_file_is_private_and_holds_nothing_that_was_asked(
    conversations: SqliteConversations, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = conversations.create("a", "").id
    monkeypatch.setattr(sys, "argv", ["ctxchat", "ask", "a secret"])
    with conversations.hold(id_):
        lock = path.parent / "locks" / id_
        assert lock.read_text() == f"process {os.getpid()} (ctxchat ask)"
        assert lock.stat().st_mode & 0o777 == 0o600
        assert lock.parent.stat().st_mode & 0o777 == 0o700


def test_processes_take_turns_in_one_conversation(conversations: SqliteConversations, start: Start) -> None:
    id_ = conversations.create("a", "").id
    workers = [start("hold_in_turn", id_) for _ in range(3)]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    path = conversations.path(id_)
    assert count_turns(path) == 30
    assert len(path) == 60


def test_processes_that_make_the_store_at_the_same_time_all_write(
    conversations: SqliteConversations, start: Start
) -> None:
    workers = [start("create", "same name") for _ in range(6)]
    assert [worker.communicate()[0] for worker in workers] == [""] * 6
    names = {summary.conversation.name for summary in conversations.listing()}
    assert names == {"same name", *(f"same name ({n})" for n in range(2, 7))}


def test_a_kill_loses_nothing_that_was_acknowledged(conversations: SqliteConversations, start: Start) -> None:
    for round_ in range(5):
        writer = start("append", f"round {round_}")
        id_, *numbers = lines(writer, 2 + 7 * round_)
        writer.send_signal(signal.SIGKILL)
        rest = writer.communicate()[0].splitlines()
        acknowledged = len(numbers) + len(rest)
        kept = texts_of(conversations, id_)
        assert kept == [f"message {number}" for number in range(len(kept))]
        assert len(kept) - acknowledged in (0, 1)
        say(conversations, id_, "life goes on")


def test_a_disk_that_takes_no_more_is_told_and_keeps_what_was_acknowledged(
    conversations: SqliteConversations, path: Path, start: Start
) -> None:
    id_ = conversations.create("a", "").id
    said = start("fill", id_).communicate()[0].splitlines()
    assert str(path) in said[-1]
    assert "disk" in said[-1]
    assert len(said) > 2
    kept = texts_of(conversations, id_)
    assert [text.split()[0] for text in kept] == said[:-1]
    say(conversations, id_, "there is room again")


def test_a_store_without_permission_to_write_is_told(
    conversations: SqliteConversations, database: Database, path: Path, start: Start
) -> None:
    plain_user: tuple[str, ...] = ()
    if os.geteuid() == 0:  # whom permissions do not bind, unless the capability is dropped
        if not shutil.which("setpriv"):
            pytest.skip("root without setpriv may write anywhere")
        plain_user = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    conversations.create("a", "")
    database.close()
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        said = start("create", "b", plain_user).communicate()[0]
    finally:
        path.parent.chmod(0o700)
        path.chmod(0o600)
    assert str(path) in said
    assert "permissions" in said
    assert len(conversations.listing()) == 1
