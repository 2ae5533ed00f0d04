import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxchat.domain.conversation import Finish, Message, Role, Section, Segment, new_id
from ctxchat.store.conversations import SqliteConversations
from tests.support.messages import answer, say


def found(conversations: SqliteConversations, query: str, limit: int = 10) -> list[str]:
    return [hit.text for hit in conversations.search(query, limit)]


def test_messages_with_all_the_words_come_before_those_with_any(
    conversations: SqliteConversations,
) -> None:
    id_ = conversations.create("a", "").id
    say(conversations, id_, "a red house", "a blue house", "a red door", "nothing of it")
    assert found(conversations, "red house")[0] == "a red house"
    assert set(found(conversations, "red house")) == {"a red house", "a blue house", "a red door"}
    assert found(conversations, "red house", 1) == ["a red house"]


def test_a_word_is_found_in_its_other_forms(conversations: SqliteConversations) -> None:
    id_ = conversations.create("a", "").id
    say(conversations, id_, "He was RUNNING to the café.")
    for query in ("run", "runs", "cafe", "Café", "running cafe"):
        assert len(found(conversations, query)) == 1, query


def test_a_hit_says_where_and_when_and_by_whom(conversations: SqliteConversations) -> None:
    made = conversations.create("a", "")
    _, second = say(conversations, made.id, "where?", "in Oslo")
    (hit,) = conversations.search("oslo", 10)
    assert (hit.conversation, hit.message, hit.role) == (made.id, second, Role.ASSISTANT)
    assert hit.at == conversations.path(made.id)[1].at


def test_words_inside_others_are_found_where_a_script_has_no_spaces(
    conversations: SqliteConversations,
) -> None:
    id_ = conversations.create("a", "").id
    say(conversations, id_, "今天天气很好", "天气", "ภาษาไทยง่าย")
    assert set(found(conversations, "天气")) == {"今天天气很好", "天气"}
    assert found(conversations, "ไทย") == ["ภาษาไทยง่าย"]


def test_a_part_of_a_word_is_found_only_where_no_word_is(conversations: SqliteConversations) -> None:
    id_ = conversations.create("a", "").id
    say(conversations, id_, "cat", "education", "in C++ code")
    assert found(conversations, "cat") == ["cat"]
    assert found(conversations, "UCATIO") == ["education"]
    assert found(conversations, "++") == ["in C++ code"]
    assert found(conversations, "zebra") == []


def test_reasoning_and_attachments_are_not_searched(conversations: SqliteConversations) -> None:
    id_ = conversations.create("a", "").id
    (asked,) = say(conversations, id_, "summarize")
    segments = (
        Segment(Section.HISTORY, "pondering", reasoning=True),
        Segment(Section.DATA, "attachment"),
        Segment(Section.HISTORY, "spoken"),
    )
    at = conversations.path(id_)[0].at
    conversations.append(id_, Message(new_id(), asked, Role.ASSISTANT, segments, at, finish=Finish.STOP))
    assert found(conversations, "spoken") == ["spoken"]
    assert found(conversations, "pondering") == []
    assert found(conversations, "attachment") == []


def test_an_unanswered_question_is_found(conversations: SqliteConversations) -> None:
    say(conversations, conversations.create("a", "").id, "lost question")
    assert found(conversations, "lost") == ["lost question"]


def test_an_answer_that_was_replaced_is_not_found(conversations: SqliteConversations) -> None:
    id_ = conversations.create("a", "").id
    asked, _ = say(conversations, id_, "q", "clumsy words")
    conversations.append(id_, answer("better words", asked))
    assert found(conversations, "words") == ["better words"]


def test_of_several_holders_a_hit_names_the_last_used(conversations: SqliteConversations) -> None:
    original = conversations.create("a", "").id
    say(conversations, original, "shared words")
    copy = conversations.fork(original).id
    assert [hit.conversation for hit in conversations.search("shared", 10)] == [copy]
    say(conversations, original, "more")
    assert [hit.conversation for hit in conversations.search("shared", 10)] == [original]
    conversations.delete(original)
    assert [hit.conversation for hit in conversations.search("shared", 10)] == [copy]


@pytest.mark.parametrize(
    "query",
    ['"', '""', "'", "*", "a*", "(", "NEAR(", "a AND", "text:", "-a", "^a", "a\0b", "\udcff", "%", "_"],
)
def test_punctuation_in_a_query_is_harmless(conversations: SqliteConversations, query: str) -> None:
    say(conversations, conversations.create("a", "").id, "some a text")
    conversations.search(query, 10)


@given(
    text=st.text(st.characters(exclude_categories=[]), min_size=1),
    query=st.text(st.characters(exclude_categories=[])),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_can_be_searched_for_any_text(
    conversations: SqliteConversations, text: str, query: str
) -> None:
    id_ = conversations.create("a", "").id
    say(conversations, id_, text)
    conversations.search(query, 3)
    if text.strip():
        assert text in found(conversations, text, 1000)
    conversations.delete(id_)
