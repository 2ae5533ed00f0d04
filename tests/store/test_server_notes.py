"""Notes on a real Chroma server: what two machines and other programs see of each other."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from ctxchat.domain.errors import NotesUnreachableError, StoreError
from ctxchat.store.locks import locked
from ctxchat.store.server import mirror
from tests.support.chroma_server import RunningChroma, free_port
from tests.support.team_chroma import EMBEDDER, Machine, OtherProgram, document, found_alone
from tests.support.word_embedder import WordEmbedder

BOAT = document("/team/boat.md", "the red boat is moored at the willow", "the heron nests behind the mill")
TAXES = document("/team/taxes.md", "the invoice is due in March", "snakes like warm stones")
_NUMBERS = count()

NewMachine = Callable[..., Machine]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChroma]:
    running = RunningChroma(tmp_path_factory.mktemp("chroma"))
    running.start()
    yield running
    running.kill()


@pytest.fixture
def database(server: RunningChroma) -> str:
    name = f"team-{next(_NUMBERS)}"
    server.new_database(name)
    return name


@pytest.fixture
def machine(server: RunningChroma, database: str, tmp_path: Path) -> NewMachine:
    """A new machine over the database of this test; the same one again by its name."""
    return lambda name, *more: Machine(tmp_path / name, server.url, database, *more)


@pytest.fixture
def other(server: RunningChroma, database: str) -> Iterator[OtherProgram]:
    program = OtherProgram(server.url, database)
    yield program
    program.close()


def test_two_machines_rank_the_same_notes_the_same_as_one_that_keeps_them_to_itself(
    machine: NewMachine, tmp_path: Path
) -> None:
    one, two = machine("one"), machine("two")
    one.notes.put("work", [BOAT])
    assert two.texts("boat")[0] == "the red boat is moored at the willow"
    two.notes.put("work", [TAXES])
    query = "where is the boat, and when is the invoice due?"
    assert len(one.found(query)) == 4
    assert one.found(query) == two.found(query)
    alone = found_alone(tmp_path / "alone", [BOAT, TAXES], query, "work")
    assert [(text, score) for _, text, score in one.found(query)] == [(t, score) for _, t, score in alone]
    assert machine("three").found(query) == two.found(query)


def test_what_is_changed_removed_or_forgotten_on_one_machine_is_so_on_the_other(machine: NewMachine) -> None:
    one, two = machine("one"), machine("two")
    one.notes.put("work", [BOAT, TAXES])
    assert len(two.listed()) == 4
    two.notes.put("work", [document("/team/boat.md", "the boat was sold")])
    assert one.listed() == ["the boat was sold", "the invoice is due in March", "snakes like warm stones"]
    snakes = one.notes.listing()[-1]
    assert one.notes.forget(snakes.id[:10]).text == "snakes like warm stones"
    assert two.listed() == ["the boat was sold", "the invoice is due in March"]
    assert two.notes.remove("work", ["/team/boat.md"]) == 1
    assert one.notes.hashes("work") == {TAXES.source: TAXES.hash}
    assert one.notes.remove("work", [TAXES.source]) == 1
    assert (one.listed(), two.listed(), two.notes.collections()) == ([], [], [])


def test_the_same_file_added_by_two_machines_is_there_once(machine: NewMachine) -> None:
    one, two = machine("one"), machine("two")
    stale = two.notes
    one.notes.put("work", [BOAT])
    stale.put("work", [BOAT])
    assert len(one.listed()) == len(two.listed()) == 2


def test_nothing_is_fetched_again_where_nothing_changed(
    machine: NewMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "FEW_NOTES", 1)
    one, two = machine("one"), machine("two")
    one.notes.put("work", [BOAT])
    assert len(two.listed()) == 2
    with monkeypatch.context() as patched:
        patched.setattr(
            "ctxchat.store.server.client.ServerCollection.records", lambda _: pytest.fail("looked")
        )
        assert len(one.listed()) == len(two.listed()) == 2
    one.notes.put("work", [TAXES])
    with monkeypatch.context() as patched:
        fetched: list[str] = []
        patched.setattr(
            "ctxchat.store.server.client.ServerCollection.vectors",
            lambda _, ids: fetched.extend(ids) or {},
        )
        assert len(two.listed()) == 4
        assert len(fetched) == 2


def test_notes_of_other_programs_are_found_with_what_they_have(
    machine: NewMachine, other: OtherProgram
) -> None:
    one, two = machine("one"), machine("two")
    theirs = other.collection("research", {"hnsw:space": "cosine", "topic": "birds"})
    theirs.add(
        ids=["b", "a"],
        embeddings=[[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]],
        documents=["an owl hunts at night", "a swift sleeps in the air"],
        metadatas=[{"source": "birds.pdf", "page": 3}, {"source": "birds.pdf", "page": 4}],
    )
    assert [(n.source, n.text) for n in one.notes.listing()] == [
        ("birds.pdf", "an owl hunts at night"),
        ("birds.pdf", "a swift sleeps in the air"),
    ]
    assert one.found("an owl at night") == two.found("an owl at night")
    theirs.update(ids=["b"], embeddings=[[1.0, 1.0, 1.0]], documents=["an owl sleeps by day"])
    theirs.delete(ids=["a"])
    assert one.listed() == two.listed() == ["an owl sleeps by day"]
    with pytest.raises(StoreError, match="another program made it"):
        one.notes.put("research", [BOAT])
    assert one.notes.remove("research", ["birds.pdf"]) == 1
    assert two.listed() == []


def test_what_other_programs_add_to_a_collection_of_ours_is_embedded_here(
    machine: NewMachine, other: OtherProgram
) -> None:
    one, two = machine("one"), machine("two")
    one.notes.put("work", [BOAT])
    other.collection("work").add(ids=["x"], embeddings=[[9.0] * 64], documents=["the invoice was paid"])
    other.collection("work").add(ids=["none"], embeddings=[[9.0] * 64])
    assert one.texts("paid invoice")[0] == "the invoice was paid"
    assert one.found("paid invoice") == two.found("paid invoice")


def test_another_embedder_is_refused_to_write_and_finds_by_words_alone(machine: NewMachine) -> None:
    one, two = machine("one"), machine("two", WordEmbedder("others", 32))
    one.notes.put("work", [BOAT])
    with pytest.raises(StoreError) as told:
        two.notes.put("work", [TAXES])
    assert "embedded by words, and the settings give others; set notes.embedder" in str(told.value)
    assert told.value.exit_code == 6
    assert two.texts("heron")[0] == "the heron nests behind the mill"
    assert "by their words alone" in two.notes.repair()[0]
    assert one.notes.repair() == []
    two.notes.put("mine", [TAXES])
    assert {c.name: c.space for c in one.notes.collections()} == {"work": "words", "mine": "others"}
    assert two.notes.remove("work", [BOAT.source]) == 2
    two.notes.put("work", [TAXES])
    assert {c.space for c in one.notes.collections()} == {"others"}


def test_a_collection_that_is_deleted_or_made_anew_on_the_server_is_so_here(
    machine: NewMachine, other: OtherProgram
) -> None:
    one = machine("one")
    one.notes.put("work", [BOAT])
    other.drop("work")
    assert one.listed() == []
    one.notes.put("work", [BOAT])
    other.drop("work")
    theirs = other.collection("work")
    theirs.add(ids=["1", "2"], embeddings=[[1.0], [2.0]], documents=["a", "b"])
    assert one.listed() == ["a", "b"]


def test_hostile_names_and_texts_come_back_as_they_were(machine: NewMachine) -> None:
    one, two = machine("one"), machine("two")
    names = ["a", "Größe & ../..", "ctxchat-x-0", "😀" * 100]
    text = "line\n\0 \x1b[31m \u202e \U0001f600 '; DROP TABLE passage; -- \udcff"
    source = "/team/caf\udce9 \n'.md"
    for name in names:
        one.notes.put(name, [document(source, text, "second")])
    assert [c.name for c in two.notes.collections()] == sorted(names)
    first, second = two.notes.listing("a")
    assert (first.text, first.source) == (text.replace("\udcff", "?"), f"{source}:1-1")
    assert second.collection == "a"
    assert set(two.notes.hashes("a")) == {source}
    for name in names:
        assert two.notes.remove(name, [source]) == 2
    assert one.notes.collections() == []


def test_a_record_that_only_looks_like_ours_breaks_nothing(machine: NewMachine, other: OtherProgram) -> None:
    one = machine("one")
    one.notes.put("work", [BOAT])
    forged = {"ctxchat": 1, "source": "x", "source_bytes": "zz", "added": "soon", "ordinal": True, "hash": 7}
    other.collection("work").add(
        ids=["' --", "2"],
        embeddings=[[9.0] * 64, [0.5] * 64],
        documents=["forged \x1b[31m", "also"],
        metadatas=[forged, {"ctxchat": 1, "added": "2026-01-01"}],
    )
    assert sorted(one.listed()) == sorted([*(chunk.text for chunk in BOAT.chunks), "forged \x1b[31m", "also"])
    assert one.found("forged")[0][1].startswith("forged")


def test_a_turn_goes_without_notes_while_another_process_writes_them(
    machine: NewMachine, tmp_path: Path
) -> None:
    one = machine("one", EMBEDDER, 0.1)
    one.notes.put("work", [BOAT])
    with locked(one.store.locks / "notes", 0), pytest.raises(NotesUnreachableError, match="being written"):
        one.texts("boat")
    assert len(one.texts("boat")) == 2


def test_two_thousand_notes_come_over_whole(machine: NewMachine) -> None:
    one, two = machine("one"), machine("two")
    many = [
        document(
            f"/bulk/{number}.md", *(f"note {number} part {part} subject{number % 97}" for part in range(10))
        )
        for number in range(200)
    ]
    one.notes.put("bulk", many)
    assert len(two.listed("bulk")) == 2000
    assert one.found("subject42 part 3") == two.found("subject42 part 3")
    one.notes.put("bulk", [document("/bulk/7.md", "changed")])
    assert len(two.listed("bulk")) == 1991
    assert one.listed("bulk") == two.listed("bulk")


def test_a_server_that_is_killed_and_started_again_loses_nothing(tmp_path: Path) -> None:
    running = RunningChroma(tmp_path / "chroma")
    running.folder.mkdir()
    running.start()
    try:
        one = Machine(tmp_path / "one", running.url, "default_database", seconds=5)
        one.notes.put("work", [BOAT])
        running.kill()
        for _ in range(2):
            with pytest.raises(NotesUnreachableError, match="cannot be reached"):
                one.texts("boat")
        with pytest.raises(NotesUnreachableError, match="cannot be reached"):
            one.notes.put("work", [TAXES])
        running.start()
        assert len(one.listed()) == 2
        one.notes.put("work", [TAXES])
        assert len(one.texts("boat")) == 4
    finally:
        running.kill()


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("http://127.0.0.1:{free}", "cannot be reached"),
        ("{url}/elsewhere", "does not answer as a Chroma server"),
    ],
)
def test_a_server_that_is_none_is_said_in_a_line(
    server: RunningChroma, tmp_path: Path, url: str, line: str
) -> None:
    asked = url.format(url=server.url, free=free_port())
    one = Machine(tmp_path / "one", asked, "default_database")
    with pytest.raises(NotesUnreachableError, match=line) as told:
        one.listed()
    assert "\n" not in str(told.value)


def test_a_database_that_is_not_there_is_named(server: RunningChroma, tmp_path: Path) -> None:
    with pytest.raises(NotesUnreachableError, match="no database default_tenant/nowhere"):
        Machine(tmp_path / "one", server.url, "nowhere").listed()
