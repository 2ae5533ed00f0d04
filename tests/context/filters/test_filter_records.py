"""Texts made of records: what stands in one is sent with the title that names it."""

import re

import pytest

from ctxchat.context.filters.kinds import Kind, kind_of
from ctxchat.context.filters.oddity import odd
from ctxchat.context.filters.pipeline import filtered
from ctxchat.context.filters.records import records
from ctxchat.context.filters.relevance import Order, order_of

WORD = re.compile(r"[^\W\d]{1,6}|\d|[^\w\s]|\s+")
COMMITS = 60


def count(text: str) -> int:
    return len(WORD.findall(text))


def commit(number: int, message: str, *, changed: bool) -> str:
    date = f"Mon Nov 2 10:{number:02}:00 2026"
    head = f"commit {number:040x}\nAuthor: A <a@b.example>\nDate:   {date}\n\n    {message}\n"
    hunk = f"@@ -1,2 +1,2 @@\n-    commit = {number}\n+    commit = read({number})\n same\n"
    change = f"diff --git a/x{number} b/x{number}\n{hunk}"
    return f"{head}\n{change if changed else f' x{number} | 2 +-'}\n"


def history(*, changed: bool) -> str:
    messages = {41: "The lamp turns slower at night", 0: "Doors open", COMMITS - 1: "The house is built"}
    return "\n".join(
        commit(number, messages.get(number, f"Room {number} painted"), changed=changed)
        for number in range(COMMITS)
    )


@pytest.mark.parametrize("changed", [True, False])
def test_a_commit_is_sent_as_its_hash_with_its_date_and_message(changed: bool) -> None:
    text = history(changed=changed)
    assert kind_of(text, text.split("\n")) is (Kind.DIFF if changed else Kind.COMMITS)
    sent = filtered(text, "Which commit made the lamp turn more slowly?", 600, count).text
    assert re.search(rf"commit {41:040x}\n.*\nDate: .*:41:00 2026\n\n    The lamp turns slower", sent)


@pytest.mark.parametrize("changed", [True, False])
def test_no_hash_is_sent_without_its_message(changed: bool) -> None:
    sent = filtered(history(changed=changed), "Which commit removed dead code?", 600, count).text
    heads = re.findall(r"^commit [0-9a-f]{40}\n", sent, re.MULTILINE)
    with_message = re.findall(r"^commit [0-9a-f]{40}\n.*\nDate:.*\n\n    \S", sent, re.MULTILINE)
    assert len(heads) == len(with_message) >= 3


def test_the_last_commit_is_the_one_that_stands_first() -> None:
    text = history(changed=False)
    assert "Doors open" in filtered(text, "What was the last commit about?", 300, count).text
    assert "The house is built" in filtered(text, "What was the first commit about?", 300, count).text


def test_a_line_of_a_stanza_brings_its_head() -> None:
    stanzas = [
        f"Package: p{number}\nStatus: installed\nDescription: a package for room {number}\n more\n"
        for number in range(80)
    ]
    stanzas[33] = stanzas[33].replace(" more", " It boils water for tea.")
    text = "\n".join(stanzas)
    assert kind_of(text, text.split("\n")) is Kind.STANZAS
    sent = filtered(text, "Which package boils water?", 300, count).text
    assert "Package: p33\n" in sent
    assert "boils water" in sent


@pytest.mark.parametrize(
    ("question", "order"),
    [
        ("Which was upgraded last?", Order.LAST),
        ("What did the first one do?", Order.FIRST),
        ("What is it?", Order.ANY),
        ("first or last?", Order.ANY),
    ],
)
def test_a_question_may_ask_for_the_first_or_the_last(question: str, order: Order) -> None:
    assert order_of(question) is order


def test_the_last_line_of_many_with_a_word_is_found() -> None:
    lines = [
        f"2026-11-02 10:{n // 60:02}:{n % 60:02} {'upgrade' if n % 50 == 7 else 'status'} item-{n}"
        for n in range(3000)
    ]
    text = "\n".join(lines)
    assert "item-2957" in filtered(text, "What was upgraded last?", 300, count).text
    assert "item-7\n" in filtered(text, "What was upgraded first?", 300, count).text


def test_the_row_unlike_all_others_is_odd() -> None:
    rows = [f"{n},client-{n * 31},{('Oslo', 'Lima')[n % 2]},paid\n" for n in range(200)]
    rows[77] = rows[77].replace("paid", "open")
    assert odd(rows) == [77]
    assert odd([f"{n:b},{chr(97 + n % 26) * (n + 2)}\n" for n in range(200)]) == []


def test_titles_and_what_stands_below_them_enclose_one_another() -> None:
    texts = [line + "\n" for line in commit(5, "It is new", changed=True).split("\n")]
    found = records(texts * 2, Kind.DIFF)
    assert found is not None
    assert found.starts == [0, len(texts)]
    assert found.titles >= {0, 2, 4}
    assert [found.parents[place] for place in (0, 2, 4, 6, 7, 8)] == [-1, 0, 2, 4, 6, 7]
    assert records(texts, Kind.JSON) is None
