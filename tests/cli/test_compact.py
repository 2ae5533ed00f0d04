"""`ctxchat compact` in processes of its own."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ctxchat.domain.conversation import new_id
from ctxchat.domain.errors import UsageError
from ctxchat.domain.summary import SummaryBlock
from ctxchat.store.conversations import SqliteConversations
from tests.cli.conftest import Ran
from tests.support.messages import say

Run = Callable[..., Ran]
USAGE = UsageError.exit_code


@pytest.fixture
def blocks(record: SqliteConversations) -> tuple[SummaryBlock, ...]:
    """Those of the conversation used last: two, made one after the other."""
    id_ = record.create("talk", "").id
    said = say(record, id_, *(f"{letter}{turn}" for turn in range(4) for letter in "qa"))
    first = SummaryBlock(new_id(), said[0], said[1], 1, "They met.", ("12 May",))
    second = SummaryBlock(new_id(), said[2], said[5], 2, "They spoke of tea.", ("/srv/tea", "Zoë"), ("4 kg",))
    record.compact(id_, [first])
    record.compact(id_, [first, second])
    return first, second


def editing(home: Path, prose: str) -> str:
    """An editor that leaves this text."""
    (home / "edited").write_text(prose)
    return f"cp {home / 'edited'}"


def shown(run: Run) -> list[dict[str, object]]:
    shown: list[dict[str, object]] = json.loads(run("compact", "show", "--json").stdout)
    return shown


def test_summaries_are_shown(run: Run, blocks: tuple[SummaryBlock, ...]) -> None:
    first, second = shown(run)
    assert first["id"] == blocks[0].id
    assert second == {
        "id": blocks[1].id,
        "first": blocks[1].first,
        "last": blocks[1].last,
        "turns": 2,
        "origin": "model",
        "prose": "They spoke of tea.",
        "facts": ["/srv/tea", "Zoë"],
        "left_out": ["4 kg"],
    }
    readable = run("compact", "show", "--session", "talk").stdout
    assert "Turn 1, by the model:\nThey met.\n- 12 May\n" in readable
    assert "Turns 2 to 3, by the model:\nThey spoke of tea.\n- /srv/tea\n- Zoë\n" in readable
    assert "Left to search: 4 kg\n" in readable


def test_an_edit_is_the_persons_and_keeps_the_facts(
    run: Run, home: Path, blocks: tuple[SummaryBlock, ...]
) -> None:
    ended = run("compact", "edit", VISUAL=editing(home, "They spoke of coffee.\n"))
    assert (ended.returncode, ended.stdout) == (0, "")
    first, second = shown(run)
    assert first["id"] == blocks[0].id
    assert (second["prose"], second["origin"]) == ("They spoke of coffee.", "person")
    assert second["facts"] == ["/srv/tea", "Zoë"]
    assert "edited by you" in run("compact", "show").stdout
    assert "summary before it" in run("compact", "undo").stderr
    assert shown(run)[1]["id"] == blocks[1].id


def test_an_edit_that_changes_nothing_or_fails_leaves_all_as_it_is(
    run: Run, home: Path, blocks: tuple[SummaryBlock, ...]
) -> None:
    before = shown(run)
    assert "nothing was changed" in run("compact", "edit", VISUAL="true").stderr
    emptied = run("compact", "edit", VISUAL=editing(home, " \n"))
    failed = run("compact", "edit", VISUAL="false")
    assert (emptied.returncode, failed.returncode) == (USAGE, USAGE)
    assert "empty" in emptied.stderr
    assert "editor" in failed.stderr
    assert shown(run) == before


def test_undo_says_what_is_verbatim_again_until_nothing_is_left(
    run: Run, blocks: tuple[SummaryBlock, ...]
) -> None:
    assert "turns 2 to 3 are sent word for word" in run("compact", "undo").stderr
    assert [block["id"] for block in shown(run)] == [blocks[0].id]
    assert "turn 1 is sent word for word" in run("compact", "undo").stderr
    for command in ("show", "edit", "undo"):
        ended = run("compact", command, VISUAL="false")
        assert (ended.returncode, ended.stdout) == (USAGE, "")
        assert 'nothing is summarized in "talk"' in ended.stderr
        assert ended.stderr.count("\n") == 1
