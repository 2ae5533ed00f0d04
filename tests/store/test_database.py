import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

import ctxchat.store.database as module
from ctxchat.domain.errors import StoreError
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from tests.support.messages import say, texts_of


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_reading_an_absent_store_finds_nothing_and_creates_nothing(
    conversations: SqliteConversations, path: Path
) -> None:
    assert conversations.listing() == []
    assert conversations.latest() is None
    assert conversations.find("anything") is None
    assert conversations.search("anything", 10) == []
    assert conversations.path("0" * 16) == ()
    assert not path.parent.exists()


def test_the_store_is_private_even_where_new_files_are_open_to_all(
    conversations: SqliteConversations, path: Path
) -> None:
    before = os.umask(0)
    try:
        conversations.create("a", "")
        beside = {file.name: mode(file) for file in path.parent.iterdir() if file.is_file()}
    finally:
        os.umask(before)
    assert mode(path.parent) == 0o700
    assert beside == {"ctxchat.db": 0o600, "ctxchat.db-wal": 0o600, "ctxchat.db-shm": 0o600}


def test_a_reader_sees_what_was_written_after_it_found_no_store(
    conversations: SqliteConversations, path: Path
) -> None:
    assert conversations.latest() is None
    writer = Database(path)
    SqliteConversations(writer).create("made by another process", "")
    latest = conversations.latest()
    assert latest is not None
    assert latest.name == "made by another process"
    writer.close()


def test_a_store_may_lie_at_any_path(tmp_path: Path) -> None:
    database = Database(tmp_path / "a?mode=memory#b %20 é" / "c:d.db")
    SqliteConversations(database).create("a", "")
    database.close()
    assert database.path.stat().st_size > 0
    assert database.check() == 1
    database.close()


def test_the_settings_of_sqlite_that_keep_promises_are_on(database: Database) -> None:
    with database.writing() as connection:
        connection.execute("SELECT 1")
    with database.reading() as connection:
        seen = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        }
    assert seen == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 5000,
    }


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    def interrupted() -> None:
        with database.writing() as connection:
            connection.execute("INSERT INTO conversation VALUES (1, 'i', 'n', NULL, '', '', '', NULL)")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM conversation").fetchone() == (0,)


def test_threads_share_a_store(conversations: SqliteConversations) -> None:
    def work(number: int) -> None:
        own = conversations.create(f"thread {number}", "").id
        for turn in range(10):
            say(conversations, own, f"q{turn}", f"a{turn}")

    threads = [Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [summary.turns for summary in conversations.listing()] == [10] * 4


def make_newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def make_text(path: Path) -> None:
    path.write_text("these are my notes, not a database\n" * 100)


def make_other(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")
    connection.close()


def make_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize(
    ("spoil", "way_out"),
    [
        (make_newer, "update ctxchat"),
        (make_text, "move it away"),
        (make_other, "move it away"),
        (make_short, "move it away"),
    ],
)
def test_a_store_that_cannot_be_used_is_told_in_one_line_and_left_as_it_is(
    path: Path, spoil: Callable[[Path], None], way_out: str
) -> None:
    database = Database(path)
    SqliteConversations(database).create("a", "")
    database.close()
    spoil(path)
    before = path.read_bytes()
    for attempt in (SqliteConversations.listing, lambda c: c.create("b", "")):
        database = Database(path)
        with pytest.raises(StoreError) as told:
            attempt(SqliteConversations(database))
        database.close()
        assert str(path) in str(told.value)
        assert way_out in str(told.value)
        assert "\n" not in str(told.value)
    assert path.read_bytes() == before


def test_a_check_counts_the_conversations_or_tells_the_damage(
    conversations: SqliteConversations, database: Database, path: Path
) -> None:
    assert database.check() is None
    id_ = conversations.create("a", "").id
    say(conversations, id_, "word " * 10_000)
    assert database.check() == 1
    database.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-8192])
    with pytest.raises(StoreError, match="move it away"):
        database.check()


def failures(conversations: SqliteConversations, id_: str) -> int:
    """How many of these reads are told to fail; any other failure is raised."""
    told = 0
    for read in (conversations.listing, conversations.latest, lambda: texts_of(conversations, id_)):
        try:
            read()
        except StoreError:
            told += 1
    return told


def test_damage_anywhere_in_the_file_is_told_and_never_crashes(path: Path) -> None:
    database = Database(path)
    conversations = SqliteConversations(database)
    id_ = conversations.create("a", "").id
    say(conversations, id_, *(f"message {number} " + "word " * 300 for number in range(20)))
    database.close()
    whole = path.read_bytes()
    told = 0
    for page in range(len(whole) // 4096):
        path.write_bytes(whole[: page * 4096] + b"\xa5" * 4096 + whole[(page + 1) * 4096 :])
        database = Database(path)
        told += failures(SqliteConversations(database), id_)
        database.close()
    assert told > 20


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    conversations = SqliteConversations(Database(tmp_path / "file" / "ctxchat.db"))
    assert conversations.listing() == []
    with pytest.raises(StoreError, match="file"):
        conversations.create("a", "")


def test_a_store_that_is_a_folder_is_told(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteConversations(Database(path)).listing()


def test_a_store_that_another_process_keeps_locked_is_told(
    conversations: SqliteConversations, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.05)
    conversations.create("a", "")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another process"):
        conversations.create("b", "")
    assert len(conversations.listing()) == 1
    other.execute("ROLLBACK")
    other.close()
    conversations.create("b", "")


def test_a_full_disk_is_told_and_earlier_rows_are_intact(
    conversations: SqliteConversations, database: Database
) -> None:
    id_ = conversations.create("a", "").id
    say(conversations, id_, "before")
    with database.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(StoreError, match="disk is full"):
        say(conversations, id_, "x" * 100_000)
    assert texts_of(conversations, id_) == ["before"]
    with database.reading() as connection:
        connection.execute("PRAGMA max_page_count = 100000")
    say(conversations, id_, "x" * 100_000)
    assert len(conversations.path(id_)) == 2
