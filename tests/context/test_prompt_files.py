from pathlib import Path

import pytest

from ctxchat.context import prompt_files
from ctxchat.domain.errors import UsageError


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(text)


def test_a_persons_file_takes_the_place_of_ours(tmp_path: Path) -> None:
    ours = prompt_files.text("system", tmp_path)
    write(tmp_path, "system", "Be a pirate.")
    assert ours
    assert prompt_files.text("system", tmp_path) == "Be a pirate."


def test_a_prompt_is_split_around_its_placeholder(tmp_path: Path) -> None:
    write(tmp_path, "pins", "Before $pins after")
    assert prompt_files.around("pins", tmp_path, "pins") == ("Before ", " after")


def test_placeholders_are_filled(tmp_path: Path) -> None:
    write(tmp_path, "review", "As a $role: $question")
    values = {"role": "poet", "question": "why?"}
    assert prompt_files.render("review", values, tmp_path) == "As a poet: why?"


def test_a_question_follows_a_file_that_does_not_place_it(tmp_path: Path) -> None:
    write(tmp_path, "short", "Be short.\n")
    assert prompt_files.render("short", {"question": "why?"}, tmp_path) == "Be short.\n\nwhy?"
    assert prompt_files.render("short", {"question": ""}, tmp_path) == "Be short."


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("As $role", {}, "-p role VALUE"),
        ("As $role", {"role": "poet", "rule": "x"}, r"no placeholder \$rule"),
        ("5 $ each", {}, r"write \$\$"),
    ],
)
def test_what_cannot_be_filled_is_named(
    tmp_path: Path, text: str, values: dict[str, str], message: str
) -> None:
    write(tmp_path, "file", text)
    with pytest.raises(UsageError, match=message):
        prompt_files.render("file", values, tmp_path)


def test_a_missing_file_is_named_with_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, "review", "")
    with pytest.raises(UsageError, match="did you mean 'review'"):
        prompt_files.render("reveiw", {}, tmp_path)


def test_every_shipped_file_is_a_template_that_names_its_placeholders() -> None:
    placeholders = {
        "pins": {"pins": "x"},
        "summarize": {"words": "60", "focus": ""},
        "focus": {"focus": "x"},
        "merge": {"summaries": "x", "words": "60"},
        "summary": {"summary": "x"},
        "notes": {"notes": "x"},
    }
    for path in prompt_files.shipped_folder().glob("*.md"):
        assert prompt_files.text(path.stem, Path("/nowhere"), **placeholders.get(path.stem, {}))
