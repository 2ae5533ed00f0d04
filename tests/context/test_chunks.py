from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxchat.context.chunks.chunk import chunks_of
from ctxchat.context.chunks.packing import MOST
from ctxchat.domain.passage import Chunk

LINES = st.sampled_from(
    [
        "# Title",
        "## Part",
        "Heading",
        "---",
        "===",
        "```python",
        "```",
        "~~~",
        "",
        "   ",
        "\x0c",
        "def one():",
        "    return 1",
        "class Two:",
        "    def three(self):",
        "@decorated(",
        "    # why",
        '"""',
        "}",
        "func main() {",
        "word " * 60,
        "x" * 2_500,
        "naïve café\r",
    ]
)
TEXTS = st.one_of(
    st.builds(
        lambda lines, end: "\n".join(lines) + end, st.lists(LINES, max_size=60), st.sampled_from(["", "\n"])
    ),
    st.text(max_size=300),
)
NAMES = st.sampled_from(["a.md", "a.py", "a.go", "a.txt", "Makefile", "logs"])


def check(chunks: tuple[Chunk, ...], text: str) -> None:
    if not text.strip():
        assert chunks == ()
        return
    assert "".join(chunk.text for chunk in chunks) == text
    assert chunks[0].first == 1
    for before, after in pairwise(chunks):
        assert after.first == before.last + before.text.endswith("\n")
    for chunk in chunks:
        assert chunk.last == chunk.first + chunk.text.count("\n") - chunk.text.endswith("\n")
        assert chunk.text.strip()
        assert sum(map(len, filter(str.strip, chunk.text.split("\n")))) <= MOST


@given(TEXTS, NAMES)
def test_joined_chunks_are_the_text(text: str, name: str) -> None:
    check(chunks_of(text, name), text)


def starts(text: str, name: str) -> list[str]:
    return [chunk.text.splitlines()[0] for chunk in chunks_of(text, name)]


BODY = "Some words about it that fill a line of prose.\n" * 8


def test_a_section_carries_its_heading() -> None:
    text = f"# All\n\n{BODY}\n## One\n\n{BODY}\n## Two\n\n{BODY}\nThird\n-----\n\n{BODY}"
    assert starts(text, "notes/plan.md") == ["# All", "## One", "## Two", "Third"]


def test_a_long_section_is_split_at_paragraphs() -> None:
    text = "# All\n\n" + "".join(f"{n}{BODY}\n" for n in range(6))
    assert starts(text, "a.md") == [
        "# All",
        "2Some words about it that fill a line of prose.",
        "4Some words about it that fill a line of prose.",
    ]


def test_a_lone_heading_goes_with_what_follows() -> None:
    assert starts(f"# All\n\n## One\n\n{BODY}\n## Two\n\n{BODY}", "a.md") == ["# All", "## Two"]


def test_a_fence_is_not_split_and_holds_no_heading() -> None:
    fence = "```sh\n" + "# not a heading\n\necho so much text\n" * 20 + "```\n"
    text = f"# One\n\n{BODY * 2}\n{fence}\n# Two\n\n{BODY}"
    assert starts(text, "a.md") == ["# One", "```sh", "# Two"]


def test_front_matter_stays_whole() -> None:
    front = "---\n" + "key: a value of some length\n\n" * 12 + "---\n"
    assert starts(front + f"# One\n\n{BODY * 2}", "a.md") == ["---", "# One"]


def method(name: str) -> str:
    return (
        f"    # why {name}\n    @decorated(\n        1,\n    )\n    def {name}(self):\n"
        + "        call_a_thing(1, 2, 3)\n" * 20
    )


def test_a_definition_is_a_chunk_with_what_stands_above_it() -> None:
    one = "@cached\ndef one():\n    '''A text.\n\ndef no():\n    '''\n" + "    call_a_thing(1, 2, 3)\n" * 12
    two = f"class Two:\n{method('first')}\n{method('second')}"
    text = f'"""A module."""\n\nimport os\n{BODY}\n\n\n{one}\n\n{two}'
    assert starts(text, "a.py") == ['"""A module."""', "@cached", "class Two:", "    # why second"]


def test_code_of_other_languages_is_split_at_outer_blocks() -> None:
    body = "\tcallSomething(1, 2, 3)\n\n" * 20
    text = f"package main\n\n// Runs.\nfunc run() {{\n{body}}}\nfunc stop() {{\n{body}}}\n"
    assert starts(text, "a.go") == ["package main", "func stop() {"]


def test_a_long_line_is_cut_under_one_number() -> None:
    chunks = chunks_of("short\n" + "word " * 1_000 + "\nshort\n", "a.txt")
    assert [(c.first, c.last) for c in chunks] == [(1, 1), *[(2, 2)] * 5, (3, 3)]


@pytest.mark.parametrize("name", ["a.md", "a.py", "a.c", "a.txt"])
def test_nothing_has_no_chunks(name: str) -> None:
    assert chunks_of("", name) == chunks_of("\n \n", name) == ()
