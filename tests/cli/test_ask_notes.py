"""`ask` with notes: collections that are not there, and an index that is damaged."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from tests.cli.conftest import Ran

pytestmark = pytest.mark.model
Run = Callable[..., Ran]
QUESTION = "who repaired the boiler?"


@pytest.fixture
def ask(run: Run, home: Path, smollm2: Path) -> Run:
    """The program, in a home with one note."""
    (home / "house.txt").write_text("The boiler was repaired by Mrs Novak.\n")
    assert run("notes", "add", "house.txt", "--collection", "house").returncode == 0
    return lambda *words, **variables: run(*words, **{"CTXCHAT_MODEL_PATH": str(smollm2), **variables})


@pytest.mark.parametrize("command", [("ask",), ("ask", "--json"), ("plan",)])
def test_a_collection_that_is_not_there_is_told_before_a_model_is_looked_for(
    ask: Run, command: tuple[str, ...]
) -> None:
    ended = ask(*command, "--notes", "house", "--notes", "hous", QUESTION, CTXCHAT_MODEL_PATH="/none.gguf")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == 'ctxchat: there is no collection "hous": did you mean "house"?\n'
    ended = ask(*command, "--notes", "work", QUESTION, CTXCHAT_MODEL_PATH="/none.gguf")
    assert ended.stderr == 'ctxchat: there is no collection "work": there are "house"\n'


def test_a_collection_of_the_settings_that_is_not_there_is_told_and_the_rest_goes_on(ask: Run) -> None:
    ended = ask("ask", "--dry-run", "--json", QUESTION, CTXCHAT_NOTES_COLLECTIONS='["work", "house"]')
    assert ended.returncode == 0
    assert "notes.collections" in ended.stderr
    assert '"work"' in ended.stderr
    assert [note["collection"] for note in json.loads(ended.stdout)["notes"]] == ["house"]


def test_an_answer_does_not_need_the_index_and_one_that_is_damaged_is_built_again_behind_it(
    ask: Run, home: Path
) -> None:
    chroma = home / "data" / "ctxchat" / "chroma"
    shutil.rmtree(chroma)
    ended = ask("ask", "--json", "--max-tokens", "2", QUESTION)
    assert ended.returncode == 0
    assert [note["collection"] for note in json.loads(ended.stdout)["notes"]] == ["house"]
    assert 'the index of the notes in "house"' in ended.stderr
    assert "no note is lost" in ended.stderr
    assert (next(chroma.iterdir()) / "sealed").exists()
    again = ask("ask", "--json", "--max-tokens", "2", QUESTION)
    assert "index" not in again.stderr
    assert again.returncode == 0


def test_of_a_note_too_long_for_its_share_of_the_window_a_part_is_sent(ask: Run, home: Path) -> None:
    lines = [f"On day {n} there was fog over the field and nothing else was written down." for n in range(16)]
    lines[11] = "Zeppelin maintenance needs helium."
    (home / "long.txt").write_text("\n".join(lines))
    ask("notes", "add", "long.txt")
    ended = ask("ask", "--dry-run", "--json", "--ctx-size", "1024", "zeppelin maintenance helium?")
    receipt = json.loads(ended.stdout)
    assert [note["collection"] for note in receipt["notes"]] == ["notes"]
    assert 0 < receipt["notes"][0]["tokens"] <= 0.1 * 896
    assert receipt["prompt"]["sections"]["notes"] == receipt["notes"][0]["tokens"]


@pytest.mark.parametrize(
    "command", [("ask", "--dry-run", "-c"), ("plan", "-c"), ("plan", "--notes", "house")]
)
def test_what_is_not_sent_writes_nothing_also_where_notes_are_recalled(
    ask: Run, home: Path, command: tuple[str, ...]
) -> None:
    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in (home / "data").rglob("*") if path.is_file()}

    assert ask("ask", "--max-tokens", "2", "Say something about rivers and mountains.").returncode == 0
    before = files()
    ended = ask(*command, "--json", "who repaired the boiler in the house of Mrs Novak?")
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["prompt"]["sections"]["notes"] > 0
    assert files() == before


def test_ids_are_whole_on_a_narrow_terminal_for_they_are_typed_again(
    ask: Run, home: Path, environment: dict[str, str]
) -> None:
    (home / f"{'long-name-' * 12}.txt").write_text("The boiler is green. " * 20)
    ask("notes", "add", ".")
    ids = [note["id"] for note in json.loads(ask("notes", "list", "--json").stdout)]
    shown = pexpect.run(
        f"{sys.executable} -m ctxchat notes list", env=environment, cwd=str(home), encoding="utf-8"
    )
    assert len(ids) > 1
    assert all(id_ in shown for id_ in ids)
