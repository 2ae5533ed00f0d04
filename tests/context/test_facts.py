from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxchat.context.fact_patterns import keys_in
from ctxchat.context.facts import DATA_FACTS, Fact, chosen, facts_of, merged, ranked
from ctxchat.domain.conversation import Message, Role, Section, Segment
from ctxchat.domain.summary import SummaryBlock
from tests.support.messages import answer, question

WORDS_AND_KEYS = st.lists(
    st.sampled_from(
        [
            "the",
            "dog",
            "likes",
            "my",
            "is",
            "called",
            "Barnaby.",
            "Ada",
            "Lovelace",
            "at",
            "10:30,",
            "on",
            "3",
            "May",
            "2024",
            "/etc/hosts",
            "42",
            "km\n",
            "max_size",
            '"The',
            'Hobbit"',
            "and",
            "https://example.org/a?b=c.",
            "10.0.0.7",
            "what?",
            "数字是",
            "42。",
            "我住在北京，",
            "-",
            "#77",
            "v1.2.3",
            "ABC-123",
            "C:\\tmp\\x.log",
            "$5",
            "15%",
            "foo()",
            "Paris;",
            "I'm",
            "`code`",
            "a@b.org",
            "?!",
            "(well)",
        ]
    ),
    max_size=60,
).map(" ".join)
ANY_TEXT = st.one_of(WORDS_AND_KEYS, st.text(max_size=200))


def words(text: str) -> int:
    return len(text.split())


def by_id(role: Role, text: str, name: str) -> Message:
    segment = Segment(Section.QUESTION if role is Role.USER else Section.HISTORY, text)
    return Message(name, None, role, (segment,), datetime(2024, 5, 3, tzinfo=UTC))


def keys(text: str) -> list[str]:
    return [key.text for key in keys_in(text)]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("we met Ada Lovelace there", "Ada Lovelace"),
        ("the museum of The Hague", "Hague"),
        ("a trip to Rio de Janeiro", "Rio de Janeiro"),
        ("he spoke with Žofia", "Žofia"),
        ("we read “The Left Hand of Darkness” twice", "The Left Hand of Darkness"),
        ('the file says "not today"', "not today"),
        ("the box weighs 3.5 kg", "3.5 kg"),
        ("it holds 42 apples", "42 apples"),
        ("meet in room 12.", "room 12"),
        ("the code is 4471", "4471"),
        ("it cost $1,299.50 then", "$1,299.50"),
        ("about 30 euros each", "30 euros"),
        ("taxed at 15%", "15%"),
        ("at -4 °C outside", "-4 °C"),
        ("since 2024-05-03T10:45:00Z", "2024-05-03T10:45:00Z"),
        ("on 3 May 2024", "3 May 2024"),
        ("by May 3rd", "May 3rd"),
        ("due Friday, May 3rd, 2024", "Friday, May 3rd, 2024"),
        ("leaves at 10:45 am", "10:45 am"),
        ("back by 3pm", "3pm"),
        ("open /etc/app/conf.d/main.toml first", "/etc/app/conf.d/main.toml"),
        ("it is ~/notes/todo.md.", "~/notes/todo.md"),
        ("edit src/app/main.py now", "src/app/main.py"),
        (r"run C:\Program Files\App\run.exe again", r"C:\Program Files\App\run.exe"),
        ("see https://example.com/a_(b)?c=d#e.", "https://example.com/a_(b)?c=d#e"),
        ("(see https://example.com/a)", "https://example.com/a"),
        ("mail ada@example.org.", "ada@example.org"),
        ("needs v1.2.3-rc1 of it", "v1.2.3-rc1"),
        ("needs 1.26.4 of it", "1.26.4"),
        ("set max_new_tokens higher", "max_new_tokens"),
        ("set MAX_RETRIES higher", "MAX_RETRIES"),
        ("call getUserName here", "getUserName"),
        ("a SqliteStore object", "SqliteStore"),
        ("then parse_args() fails", "parse_args()"),
        ("with --dry-run=yes set", "--dry-run=yes"),
        ("at commit 9fceb02d", "9fceb02d"),
        ("id 550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000"),
        ("as in ABC-123", "ABC-123"),
        ("fixed by #77", "#77"),
        ("at 192.168.1.7:8080", "192.168.1.7:8080"),
        ("on localhost:8080", "localhost:8080"),
        ("call 555-0142", "555-0142"),
        ("call +49 30 1234567", "+49 30 1234567"),
        ("the error 0xC0000005", "0xC0000005"),
        ("use `make clean` first", "make clean"),
        ("会议在2024年5月3日开始", "2024年5月3日"),
        ("my cat is called whiskers", "whiskers"),
        ("i'm allergic to peanuts", "peanuts"),
    ],
)
def test_each_kind_is_found_whole(text: str, key: str) -> None:
    assert key in keys(text)


@pytest.mark.parametrize(
    "text", ["and/or", "well, i think so", "I am. The end. However, no", "</div>", "e.g. this"]
)
def test_plain_words_hold_no_fact(text: str) -> None:
    assert facts_of([question(text)]) == []


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ("my dog is called Barnaby", "my dog is called Barnaby"),
        ("Hello! My dog is called Barnaby. What now?", "My dog is called Barnaby"),
        ("Barnaby is my dog.", "Barnaby is my dog"),
        ("he's allergic to shellfish. can you help me?", "he's allergic to shellfish"),
        ("ask Dr. Who about room 12. then come back", "ask Dr. Who about room 12"),
        ("My budget is 2,400 EUR, approx. three weeks", "My budget is 2,400 EUR, approx. three weeks"),
        ("* **Temples**: see Fushimi Inari", "**Temples**: see Fushimi Inari"),
        ("- the port is 8080\n- the rest follows", "the port is 8080"),
        (
            "As I wrote to you last week, the spare key lies under pot 14, which nobody here dares to move",
            "the spare key lies under pot 14",
        ),
    ],
)
def test_a_fact_is_the_clause_that_gives_it_meaning(said: str, fact: str) -> None:
    assert fact in [f.text for f in facts_of([question(said)])]


def test_an_endless_clause_is_cut_to_the_words_around_its_key() -> None:
    (fact,) = facts_of([question("word " * 300 + "near the tower Zenobia stands " + "tall " * 300)])
    assert "tower Zenobia stands" in fact.text
    assert len(fact.text.split()) <= 12


def test_a_capital_at_a_sentences_start_is_a_name_only_where_it_is_one_elsewhere() -> None:
    said = "Alice likes tea. Bananas ripen. I met Alice."
    assert [fact.text for fact in facts_of([question(said)])] == ["Alice likes tea", "I met Alice"]


def test_reasoning_is_never_read_and_attached_text_only_a_little() -> None:
    log = "".join(f"error number {n} at /var/log/{n}.log\n" for n in range(1_000))
    segments = (
        Segment(Section.DATA, log),
        Segment(Section.QUESTION, "why does host-7.example.org fail?"),
        Segment(Section.HISTORY, "Maybe Mallory", reasoning=True),
    )
    facts = facts_of([Message("m", None, Role.USER, segments, datetime.now(UTC))])
    assert [fact.by_user for fact in facts] == [True] + [False] * DATA_FACTS
    assert not any("Mallory" in fact.text for fact in facts)


def test_what_the_user_told_of_themselves_is_worth_most_and_a_question_least() -> None:
    facts = facts_of(
        [
            by_id(Role.ASSISTANT, "It was built in Rome by Hadrian.", "1"),
            by_id(Role.USER, "Who was Trajan?", "2"),
            by_id(Role.USER, "The meeting is with Livia.", "3"),
            by_id(Role.USER, "The server listens on port 8080.", "4"),
            by_id(Role.USER, "I'm Octavia.", "5"),
            by_id(Role.USER, "My budget is 900 EUR.", "6"),
        ]
    )
    assert [fact.message for fact in ranked(facts)] == ["6", "5", "4", "3", "2", "1"]


def test_what_is_said_again_is_worth_more() -> None:
    facts = [Fact("to Oslo", ("Oslo",), True, "1"), Fact("to Bonn", ("Bonn",), True, "2")]
    again = Fact("Bonn then", ("Bonn",), False, "3")
    assert ranked([*facts, again])[0].text == "to Bonn"


def test_one_long_message_does_not_crowd_out_the_next() -> None:
    log = [Fact(f"line {n}", (f"{n}",), True, "1") for n in range(100)]
    name = Fact("to 9 Elm Street", ("9 Elm Street",), True, "2")
    assert ranked([*log, name]).index(name) < 10


def test_a_fact_that_is_covered_is_neither_kept_nor_left_out() -> None:
    facts = [
        Fact("my dog is Rex", ("Rex",), True, "1"),
        Fact("rex barks", ("rex",), True, "2"),
        Fact("Rex ran 3 km", ("Rex", "3 km"), True, "3"),
        Fact("a walk of 3 km", ("3 km",), True, "4"),
    ]
    assert chosen(facts, 100, words) == (("my dog is Rex", "Rex ran 3 km"), ())
    assert chosen(facts, 5, words) == (("my dog is Rex",), ("Rex ran 3 km",))


def test_a_short_fact_takes_the_room_a_long_one_leaves() -> None:
    facts = [Fact("far too long for it " * 3 + "1", ("1",), True, "1"), Fact("pot 2", ("2",), True, "2")]
    assert chosen(facts, 4, words)[0] == ("pot 2",)


def test_merging_ranks_older_blocks_no_lower() -> None:
    old = SummaryBlock("a", "1", "2", 1, "", ("my cat is Nero", "port 8080"), ("the pot 14",))
    new = SummaryBlock("b", "3", "4", 1, "", ("see Rome", "port 9090", "my cat is Nero"))
    kept, left = chosen(merged([old, new]), 100, words)
    assert kept == ("my cat is Nero", "port 8080", "see Rome", "the pot 14", "port 9090")
    assert left == ()
    assert chosen(merged([old, new]), 11, words) == (kept[:3], kept[3:])


@settings(deadline=None)
@given(st.lists(ANY_TEXT, max_size=4))
def test_every_fact_stands_in_its_source_and_holds_its_keys(said: list[str]) -> None:
    messages = [by_id(Role.USER, text, str(n)) for n, text in enumerate(said)]
    for fact in facts_of(messages):
        assert fact.text in said[int(fact.message)]
        assert "\n" not in fact.text
        assert fact.keys
        assert all(key in fact.text for key in fact.keys)


@settings(deadline=None)
@given(st.lists(ANY_TEXT, max_size=4), st.integers(0, 60))
def test_kept_and_left_out_are_all_the_facts_once_and_the_room_holds(said: list[str], room: int) -> None:
    messages = [by_id(Role.USER, text, str(n)) for n, text in enumerate(said)]
    facts = ranked(facts_of(messages))
    kept, left = chosen(facts, room, words)
    assert words("\n".join(f"- {fact}" for fact in kept)) <= room
    shown = [fact for fact in facts if fact.text in {*kept, *left}]
    held = {key.casefold() for fact in shown for key in fact.keys}
    assert {key.casefold() for fact in facts for key in fact.keys} <= held
    assert not set(kept) & set(left)
    assert chosen(ranked(facts_of(messages)), room, words) == (kept, left)


@pytest.mark.parametrize(
    "run", ["a", "1-", "a.", "1 ", "/a", '"', "(", "C:\\a a ", "my a ", "f", "中", "0x", "a@", "Aa "]
)
def test_a_run_of_anything_is_read_to_its_end(run: str) -> None:
    text = run * (8_000 // len(run)) + "\nmy dog is called Barnaby"
    assert "my dog is called Barnaby" in [
        fact.text for fact in facts_of([question(text), answer(text, None)])
    ]
