import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxchat.context.tables.block import table_block
from ctxchat.context.tables.read import read_table

WORDS = "alpha beta gamma delta report invoice pending review shipped north south".split()  # noqa: SIM905


def tokens(text: str) -> int:
    """A count that, like a real one, is not proportional to the characters."""
    return (
        sum(1 + len(word) // 6 for word in text.split()) + text.count(",") + sum(map(str.isdigit, text)) // 2
    )


def big(rows: int, needle: int | None = None) -> str:
    chance = random.Random(7)
    lines = ["id,name,state,amount"]
    for n in range(rows):
        name = " ".join(chance.choices(WORDS, k=3))
        lines.append(f"X-{n * 7 + 10_000},{name},{chance.choice(WORDS)},{chance.randint(1, 9_999)}.50")
    if needle is not None:
        lines[1 + needle] = "Q-4471,zeppelin contract,north,31337.25"
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("position", [0, 25, 50, 75, 100])
@pytest.mark.parametrize(
    "question",
    [
        "What is the amount of Q-4471?",
        "who holds the zeppelin contracts",
        "Which row has 31337.25?",
        "largest amount?",
    ],
)
def test_the_row_that_answers_is_sent_wherever_it_stands(position: int, question: str) -> None:
    rows = 2_000
    table = read_table(big(rows, (rows - 1) * position // 100), "big.csv")
    block = table_block(table, question, 400, tokens)
    assert "Q-4471,zeppelin contract,north,31337.25" in block.text
    assert tokens(block.text) <= 400
    assert f"Showing {block.shown:,} of 2,000 rows:" in block.text


def test_a_small_table_is_sent_whole() -> None:
    text = 'city,says\nBerlin,"a, b"\nRome,"two\nlines"\n'
    block = table_block(read_table(text, "a.csv"), "hello", 500, tokens)
    assert (block.shown, block.rows) == (2, 2)
    assert block.text.endswith(f"Showing 2 of 2 rows:\n{text}")


def test_rows_keep_their_order_and_their_numbers_as_written() -> None:
    block = table_block(read_table(big(500), "big.csv"), "pending review", 600, tokens)
    sent = block.text.split("id,name,state,amount\n")[1].splitlines()
    whole = big(500).splitlines()
    places = [whole.index(line) for line in sent]
    assert len(sent) == block.shown > 5
    assert places == sorted(places)


def test_what_comes_first_is_the_same_for_every_question() -> None:
    table = read_table(big(500), "big.csv")
    blocks = [table_block(table, question, 500, tokens).text for question in ("hello", "largest amount?")]
    first = blocks[0].split("Showing")[0]
    assert "- amount: number, " in first
    assert blocks[1].startswith(first)


def test_facts_stand_in_the_text() -> None:
    block = table_block(read_table(big(500), "big.csv"), "how many rows with state north", 500, tokens)
    assert block.facts
    assert all(f"\n- {fact}\n" in block.text for fact in block.facts)


def test_the_tokenizer_is_asked_a_few_times() -> None:
    asked: list[str] = []

    def count(text: str) -> int:
        asked.append(text)
        return tokens(text)

    table_block(read_table(big(2_000), "big.csv"), "pending review", 1_000, count)
    assert len(asked) < 16


@given(
    st.lists(st.lists(st.text(max_size=30), min_size=2, max_size=2), max_size=30),
    st.text(max_size=40),
    st.integers(0, 200),
)
@settings(max_examples=60)
def test_the_block_fits_its_room_always(rows: list[list[str]], question: str, room: int) -> None:
    text = "name,amount\n" + "".join(
        f'"{a.replace(chr(34), "")}","{b.replace(chr(34), "")}"\n' for a, b in rows
    )
    block = table_block(read_table(text, "a.csv"), f"{question} average amount", room, tokens)
    assert tokens(block.text) <= room
    assert block.shown <= block.rows == len(rows)


def test_many_columns_are_named_in_part() -> None:
    names = ",".join(f"measure{n}" for n in range(300))
    table = read_table(f"{names}\n" + ("1," * 299 + "2\n") * 50, "wide.csv")
    block = table_block(table, "hello", 200, tokens)
    assert "and 2" in block.text
    assert "Showing 0 of 50 rows" in block.text
    assert tokens(block.text) <= 200
