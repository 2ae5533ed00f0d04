import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxchat.domain.conversation import Finish, Message, Role, Section, Segment, new_id
from ctxchat.domain.errors import ConversationBusyError, UsageError
from ctxchat.service.conversations import ConversationService
from ctxchat.service.imports import read_messages
from ctxchat.service.names import first_words
from ctxchat.service.transcripts import TranscriptFormat, heading, json_text
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database
from tests.support.messages import answer, question, say
from tests.support.scripted import ScriptedDisk

ANY_TEXT = st.text(st.characters(exclude_categories=[]))


@pytest.fixture
def record(tmp_path: Path) -> Iterator[SqliteConversations]:
    database = Database(tmp_path / "ctxchat.db")
    yield SqliteConversations(database, wait=0.05)
    database.close()


@pytest.fixture
def service(record: SqliteConversations) -> ConversationService:
    return ConversationService(record, ScriptedDisk(), "be brief")


def line(role: str, text: str, **more: object) -> bytes:
    return json.dumps({"role": role, "text": text, **more}).encode() + b"\n"


@pytest.mark.parametrize(
    ("question_", "name"),
    [
        ("What is a cell?", "What is a cell?"),
        ("  two\n lines\tand   more ", "two lines and more"),
        ("How do I find the largest files below a folder?", "How do I find the largest files below a"),
        ("x" * 60, "x" * 40),
        ("x" * 40 + " y", "x" * 40),
        ("今" * 60, "今" * 40),
        ("\x1b]0;evil\x07 \0title\u202e", "]0;evil title"),
        ("", "untitled"),
        ("\n\x1b", "untitled"),
    ],
)
def test_a_name_is_the_first_words_of_the_question(question_: str, name: str) -> None:
    assert first_words(question_) == name


@given(ANY_TEXT)
def test_first_words_are_one_printable_line_that_is_never_empty(text: str) -> None:
    name = first_words(text)
    assert name.isprintable()
    assert name == name.strip()
    assert 0 < len(name) <= 40


def test_nothing_named_means_the_conversation_used_last(
    service: ConversationService, record: SqliteConversations
) -> None:
    with pytest.raises(UsageError, match="ctxchat ask"):
        service.resolve(None)
    first, second = record.create("first", ""), record.create("second", "")
    assert service.resolve(None) == second
    say(record, first.id, "hello")
    assert service.resolve(None).id == first.id


def test_an_unknown_conversation_is_told_with_the_nearest_names(
    service: ConversationService, record: SqliteConversations
) -> None:
    record.create("Garden plans", "")
    for reference in ("gardn plans", "plans", "GARDEN"):
        with pytest.raises(UsageError, match='did you mean "Garden plans"'):
            service.resolve(reference)
    with pytest.raises(UsageError, match="sessions list"):
        service.resolve("zzz")


def test_a_name_must_hold_something_printable(
    service: ConversationService, record: SqliteConversations
) -> None:
    made = record.create("a", "")
    for blank in ("", "  ", "\x1b\n"):
        with pytest.raises(UsageError, match="empty"):
            service.rename(made.id, blank)
    service.rename(made.id, " the\x1b new\nname ")
    assert service.resolve(None).name == "the new name"


def test_a_blank_search_is_a_usage_error(service: ConversationService) -> None:
    with pytest.raises(UsageError, match="give a word"):
        service.search(" \n", 10)


def test_a_conversation_in_use_is_not_deleted(
    service: ConversationService, record: SqliteConversations
) -> None:
    made = record.create("a", "")
    with record.hold(made.id), pytest.raises(ConversationBusyError):
        service.delete(made)
    assert service.resolve(None) == made
    service.delete(made)
    assert service.listing() == []


def test_an_import_keeps_ids_names_times_and_order(service: ConversationService) -> None:
    source = (
        b"\xef\xbb\xbf"
        + line("assistant", "hello", id="D1:1", name="Ann", at="2023-05-08T13:56:00+02:00", session=1)
        + b"\r\n   \n"
        + line("assistant", "anybody?", id="D1:2", at="2023-05-08T11:56:00Z", name=None)
        + line("user", "yes\u2028\0 \ud800", id="7")
        + line("user", "").rstrip(b"\n")
    )
    before = datetime.now(UTC)
    imported = service.adopt(source, None)
    shown = service.transcript(imported.conversation.id).fields()
    messages = shown["messages"]
    assert isinstance(messages, list)
    assert [(m["role"], m["name"], m["text"], m["finish"]) for m in messages] == [
        ("assistant", "Ann", "hello", None),
        ("assistant", None, "anybody?", None),
        ("user", None, "yes\u2028\0 \ud800", None),
        ("user", None, "", None),
    ]
    assert [m["id"] for m in messages[:3]] == ["D1:1", "D1:2", "7"]
    assert [m["parent"] for m in messages] == [None, "D1:1", "D1:2", "7"]
    assert messages[0]["at"] == "2023-05-08T13:56:00+02:00"
    assert messages[1]["at"] == "2023-05-08T11:56:00+00:00"
    assert datetime.fromisoformat(messages[3]["at"]) >= before
    assert imported.conversation.name == "hello"
    assert imported.conversation.system == "be brief"
    assert service.resolve(None) == imported.conversation
    assert service.search("anybody", 5)[0].message == "D1:2"


def test_the_same_file_can_be_imported_twice(service: ConversationService) -> None:
    source = line("user", "q", id="1") + line("assistant", "a", id="2")
    first, second = service.adopt(source, "notes"), service.adopt(source, "notes")
    assert (first.conversation.name, second.conversation.name) == ("notes", "notes (2)")
    service.delete(first.conversation)
    assert [m.shown_id for m in service.transcript(None).messages] == ["1", "2"]


@pytest.mark.parametrize(
    ("roles", "answered"), [("uaua", "1111"), ("uau", "110"), ("auu", "100"), ("uu", "00")]
)
def test_questions_at_the_end_of_an_import_have_no_answer(
    service: ConversationService, roles: str, answered: str
) -> None:
    names = {"u": "user", "a": "assistant"}
    imported = service.adopt(b"".join(line(names[role], "text") for role in roles), None)
    assert "".join(str(int(m.answered)) for m in imported.messages) == answered
    assert service.listing()[0].turns == roles.count("u")


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"[" * 100_000, "not JSON"),
        (b'{"role": "user", "text": "' + b"9" * 10 + b'", "at": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"\xff\xfe", "UTF-8"),
        (line("system", "x"), '"role"'),
        (b'{"role": ["user"], "text": ""}', '"role"'),
        (b'{"text": "x"}', '"role"'),
        (b'{"role": "user"}', '"text"'),
        (b'{"role": "user", "text": null}', '"text"'),
        (line("user", "x", id=5), '"id"'),
        (line("user", "x", name={}), '"name"'),
        (line("user", "x", at=1683554160), '"at"'),
        (line("user", "x", at="yesterday"), '"at"'),
        (line("user", "x", at="2023-13-01"), '"at"'),
        (line("user", "x", id="1"), "as in line 1"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_imported(
    service: ConversationService, bad: bytes, told: str
) -> None:
    with pytest.raises(UsageError) as error:
        service.adopt(
            line("user", "q", id="1") + b"\n" + bad.rstrip(b"\n") + b"\n" + line("user", "q2"), None
        )
    assert "line 3: " in str(error.value)
    assert told in str(error.value)
    assert "nothing was imported" in str(error.value)
    assert service.listing() == []


@pytest.mark.parametrize("empty", [b"", b"\n \n"])
def test_an_import_without_messages_is_refused(service: ConversationService, empty: bytes) -> None:
    with pytest.raises(UsageError, match="no messages"):
        service.adopt(empty, "name")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["user", "assistant"]),
            ANY_TEXT,
            st.none() | ANY_TEXT,
            st.datetimes(timezones=st.timezones()),
        ),
        min_size=1,
    )
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_exported_as_lines_is_imported_as_it_was(
    service: ConversationService, said: list[tuple[str, str, str | None, datetime]]
) -> None:
    lines = (
        line(role, text, name=name, at=at.isoformat(), id=str(n))
        for n, (role, text, name, at) in enumerate(said)
    )
    imported = service.adopt(b"".join(lines), "a")
    exported = service.transcript(imported.conversation.id).written(TranscriptFormat.JSONL)
    again = read_messages(exported.encode())
    assert [unidentified(m) for m in again] == [unidentified(m) for m in imported.messages]
    service.delete(imported.conversation)


def unidentified(message: Message) -> Message:
    return replace(message, id="", parent=None)


def test_a_transcript_shows_what_became_of_each_message(
    service: ConversationService, record: SqliteConversations
) -> None:
    made = record.create("a", "")
    lost = question("lost")
    record.append(made.id, lost)
    segments = (Segment(Section.DATA, "12345"), Segment(Section.QUESTION, "what?"))
    asked = Message(
        new_id(), lost.id, Role.USER, segments, datetime(2024, 5, 1, 12, 30, tzinfo=UTC), answered=False
    )
    record.append(made.id, asked)
    record.append(made.id, replace(answer("cut", asked.id), finish=Finish.LENGTH, at=asked.at))
    transcript = service.transcript(None)
    assert [heading(m) for m in transcript.messages[1:]] == [
        "User, 2024-05-01 12:30+00:00",
        "Assistant, 2024-05-01 12:30+00:00 (length)",
    ]
    assert heading(transcript.messages[0]).endswith("(not answered)")
    assert transcript.written(TranscriptFormat.MD).endswith(
        "## User, 2024-05-01 12:30+00:00\n\nwhat?\n\n## Assistant, 2024-05-01 12:30+00:00 (length)\n\ncut\n"
    )
    assert json.loads(transcript.written(TranscriptFormat.JSON)) == transcript.fields()


def test_a_conversation_without_messages_exports_nothing_as_lines(
    service: ConversationService, record: SqliteConversations
) -> None:
    record.create("a", "")
    transcript = service.transcript(None)
    assert transcript.written(TranscriptFormat.JSONL) == ""
    assert transcript.written(TranscriptFormat.MD) == "# a\n"


@given(ANY_TEXT)
def test_json_text_is_safe_for_utf8_and_terminals_and_reads_as_the_same(text: str) -> None:
    written = json_text({"text": text})
    written.encode()
    assert not any(c < " " or "\x7f" <= c <= "\x9f" for c in written)
    assert json.loads(written) == {"text": text}
