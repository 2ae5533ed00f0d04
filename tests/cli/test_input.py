"""Words, stdin, files and folders become one question and its attachments."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ctxchat.cli.input import Question, read_question
from ctxchat.context.attachments import Attachment
from ctxchat.domain.errors import UsageError
from tests.cli.conftest import Ran


@contextmanager
def stdin_of(source: int) -> Iterator[None]:
    """Put a descriptor in the place of fd 0, and take it back."""
    before = os.dup(0)
    os.dup2(source, 0)
    os.close(source)
    try:
        yield
    finally:
        os.dup2(before, 0)
        os.close(before)


def read(
    words: str = "", *files: Path | str, data: tuple[Path | str, ...] = (), piped: bytes | None = None
) -> Question:
    """Read a question, with bytes in a pipe on fd 0, or with nothing there."""
    if piped is None:
        source = os.open(os.devnull, os.O_RDONLY)
    else:
        source, write = os.pipe()
        os.write(write, piped)
        os.close(write)
    with stdin_of(source):
        return read_question(words.split(), [str(file) for file in files], [str(table) for table in data])


def test_words_are_joined_by_a_space() -> None:
    assert read("why is  it") == Question("why is it")


def test_piped_text_alone_is_the_question_as_it_stands() -> None:
    assert read(piped=b"one\r\ntwo\n") == Question("one\r\ntwo\n")


def test_beside_words_piped_text_is_the_first_attachment(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("A")
    question = read("why", tmp_path / "a", piped=b"log\n")
    assert question.words == "why"
    assert question.attachments == (Attachment("stdin", "log\n"), Attachment(str(tmp_path / "a"), "A"))


def test_blank_piped_text_beside_words_counts_as_none() -> None:
    assert read("why", piped=b" \n\t\n") == Question("why")


@pytest.mark.parametrize("piped", [None, b"", b" \n"])
def test_nothing_asked_is_a_usage_error(piped: bytes | None) -> None:
    with pytest.raises(UsageError, match="nothing was asked"):
        read(piped=piped)


def test_a_file_and_a_socket_are_read_and_a_dash_forces(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("from a file")
    with stdin_of(os.open(tmp_path / "in", os.O_RDONLY)):
        assert read_question(["why"], []).attachments == (Attachment("stdin", "from a file"),)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"from a socket")
        ours.shutdown(socket.SHUT_WR)
        with stdin_of(theirs.detach()):
            assert read_question([], []).words == "from a socket"
    assert read("- why -", piped=b"text").attachments == (Attachment("stdin", "text"),)
    assert read("why", "-", piped=b"text") == Question("why", (Attachment("stdin", "text"),))
    assert read("", "-", piped=b"text") == Question("text")


def test_a_closed_stdin_is_no_input(run: Callable[..., Ran], environment: dict[str, str]) -> None:
    with stdin_of(os.open(os.devnull, os.O_RDONLY)):
        os.close(0)
        try:
            assert read_question(["why"], []) == Question("why")
            with pytest.raises(UsageError, match="stdin cannot be read"):
                read_question(["-"], [])
        finally:
            os.open(os.devnull, os.O_RDONLY)


def test_what_is_not_utf8_is_replaced_with_one_warning_for_all(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    question = read("why", tmp_path / "latin", piped=b"\xff!")
    assert [attachment.text for attachment in question.attachments] == ["�!", "caf�"]
    [warning] = question.warnings
    assert "UTF-8" in warning
    assert "stdin" in warning
    assert "latin" in warning


def test_a_byte_order_mark_is_dropped() -> None:
    assert read(piped=b"\xef\xbb\xbfhello") == Question("hello")


def test_binary_input_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"GGUF\0\0")
    with pytest.raises(UsageError, match=r"stdin is binary"):
        read("why", piped=b"a\0b")
    with pytest.raises(UsageError, match=r"binary is binary"):
        read("why", tmp_path / "binary")


def test_a_zero_byte_far_down_is_text(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"a" * 8192 + b"\0")
    assert len(read("why", tmp_path / "long").attachments[0].text) == 8193


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"-f .*none: No such file"):
        read("why", tmp_path / "none")


def test_a_folder_is_walked_in_order_and_what_is_left_out_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in {
        "b.txt": b"B",
        "a/z.py": b"Z",
        ".git/x": b"x",
        "a/.env": b"e",
        "i.png": b"\0",
    }.items():
        (tmp_path / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "src" / name).write_bytes(content)
    (tmp_path / "src/loop").symlink_to(tmp_path / "src")
    os.mkfifo(tmp_path / "src/queue")
    question = read("why", "src")
    assert question.attachments == (Attachment("src/a/z.py", "Z"), Attachment("src/b.txt", "B"))
    [warning] = question.warnings
    assert warning.endswith("left out: .git, a/.env, i.png, loop, queue")


def test_a_folder_without_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_text("x")
    with pytest.raises(UsageError, match="no text file"):
        read("why", tmp_path)


def test_arguments_whose_bytes_are_no_utf8_become_text(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    (tmp_path / name).write_text("x")
    question = read(f"is {name}", tmp_path / name)
    assert question.words == "is caf�"
    assert question.attachments[0].label.endswith("caf�")


def test_tables_are_kept_apart_from_text(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes(b"\xef\xbb\xbfa,b\r\n1,\xff\n")
    question = read("sum of a", data=(table,), piped=b"text")
    assert question.attachments == (Attachment("stdin", "text"),)
    assert question.data == (Attachment(str(table), "a,b\r\n1,�\n"),)
    [warning] = question.warnings
    assert "t.csv" in warning


def test_a_dash_for_data_is_stdin_and_leaves_no_text(tmp_path: Path) -> None:
    question = read("sum of a", data=("-",), piped=b"a\n1\n")
    assert question == Question("sum of a", data=(Attachment("stdin", "a\n1\n"),))
    with pytest.raises(UsageError, match="nothing was asked"):
        read(data=("-",), piped=b"a\n1\n")


@pytest.mark.parametrize(
    ("words", "files", "data"), [("-", (), ("-",)), ("why", ("-",), ("-",)), ("why", (), ("-", "-"))]
)
def test_stdin_is_read_once(words: str, files: tuple[str, ...], data: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="stdin can be read once"):
        read(words, *files, data=data, piped=b"a\n")


def test_a_table_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\0")
    for name, said in (
        ("none", r"--data .*none: No such file"),
        ("", r"--data .*: Is a directory"),
        ("binary", "is binary"),
    ):
        with pytest.raises(UsageError, match=said):
            read("why", data=(tmp_path / name,))


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (["ask", "why", "--data", "none"], subprocess.DEVNULL, "--data none: No such file"),
        (["ask"], subprocess.DEVNULL, "nothing was asked"),
        (["ask"], b" \n", "nothing was asked"),
        (["ask", "why"], b"\0", "binary"),
        (["ask", "why", "-f", "none"], subprocess.DEVNULL, "none: No such file"),
        (["ask", "-t", "none", "why"], subprocess.DEVNULL, "none"),
    ],
    ids=str,
)
def test_input_that_cannot_be_used_exits_2_with_one_line_and_prints_no_object(
    run: Callable[..., Ran], words: list[str], stdin: bytes | int, said: str
) -> None:
    ended = run(*words, "--json", stdin=stdin)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1
