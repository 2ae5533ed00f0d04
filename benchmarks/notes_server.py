"""Notes through a Chroma server beside notes in a local Chroma, in the same run.

    python benchmarks/notes_server.py                # 10,000 notes; a server is started for it
    python benchmarks/notes_server.py --notes 2000

CPU time is this process's, as in notes.py; wall time has the server's in it, on the same machine. A
second machine is a data folder that is empty; its first use fetches all notes, a later one asks
whether anything changed.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from notes import QUERIES, WARM, documents, sentences  # noqa: E402

from ctxchat.domain.passage import PassageKind, Scope  # noqa: E402
from ctxchat.domain.ports import Notes, Recall  # noqa: E402
from ctxchat.engine.llama.bindings import library  # noqa: E402

library()

from ctxchat.store.database import Database  # noqa: E402
from ctxchat.store.late_recall import LateRecall  # noqa: E402
from ctxchat.store.note_store import SqliteNotes  # noqa: E402
from ctxchat.store.recall import SqliteRecall  # noqa: E402
from ctxchat.store.server.absence import Absence  # noqa: E402
from ctxchat.store.server.address import address_of  # noqa: E402
from ctxchat.store.server.client import ChromaServer  # noqa: E402
from ctxchat.store.server.notes import ServerNotes  # noqa: E402
from ctxchat.store.server.recall import ServerRecall  # noqa: E402
from ctxchat.store.static_embedding import StaticEmbedder  # noqa: E402
from tests.support.chroma_server import RunningChroma  # noqa: E402

EMBEDDER = StaticEmbedder()
SCOPE = Scope(collections=("bench",), kinds=(PassageKind.NOTE,))
Found = list[str]


def here(folder: Path) -> tuple[Notes, Recall]:
    notes = SqliteNotes(Database(folder / "store.sqlite3"), lambda: EMBEDDER)
    store = Database(folder / "store.sqlite3")
    return notes, LateRecall(store, lambda: SqliteRecall(store, lambda: EMBEDDER, lambda: notes))


def there(folder: Path, url: str) -> tuple[ServerNotes, Recall]:
    address = address_of(url, "default_tenant", "default_database", lambda: None, "Authorization")
    server, absence = ChromaServer(address), Absence(folder / "cache", address.place)
    notes = ServerNotes(Database(folder / "store.sqlite3"), lambda: EMBEDDER, server, absence)
    store = Database(folder / "store.sqlite3")
    late = LateRecall(store, lambda: SqliteRecall(store, lambda: EMBEDDER, lambda: notes))
    return notes, ServerRecall(late, lambda: notes, None)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall and of CPU."""
    wall, cpu = time.monotonic(), time.process_time()
    work()
    return time.monotonic() - wall, time.process_time() - cpu


def searches(recall: Recall) -> tuple[float, float, list[Found]]:
    """Median wall and CPU of a search in ms, and what was found."""
    words, found, taken = sentences(), [], []
    for number in range(WARM + QUERIES):
        begin = number * 37 % (len(words) - 8)
        query = " ".join(words[begin : begin + 8])
        hits: list[Found] = []

        def search(query: str = query, hits: list[Found] = hits) -> None:
            hits.append([hit.passage.text for hit in recall.search(query, SCOPE, 10)])

        taken.append(timed(search))
        found += hits
    walls, cpus = zip(*taken[WARM:], strict=True)
    return 1000 * statistics.median(walls), 1000 * statistics.median(cpus), found


def row(name: str, wall: float, cpu: float, unit: str) -> None:
    print(f"  {name:52} {wall:10,.1f} {cpu:10,.1f}  {unit}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--notes", type=int, default=10_000)
    count = parser.parse_args().notes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("server", "local", "one", "two"):
            (folder / part).mkdir()
        running = RunningChroma(folder / "server")
        running.start()
        try:
            compare(folder, running.url, count)
        finally:
            running.kill()


def compare(folder: Path, url: str, count: int) -> None:
    local, local_recall = here(folder / "local")
    one, one_recall = there(folder / "one", url)
    two, two_recall = there(folder / "two", url)
    local.put("warm", documents(5))
    one.put("warm", documents(5))
    print(f"{count:,} notes{'':40} wall       CPU")
    bench = list(documents(count))
    for name, notes in (("local Chroma", local), ("a server", one)):
        wall, cpu = timed(lambda notes=notes: notes.put("bench", bench))
        row(f"adding, {name}", count / wall, count / cpu, "notes/s")
    row("a second machine's first use: all is fetched", *timed(lambda: two.catch_up(["bench"])), "s")
    time.sleep(1.1)
    unchanged = timed(lambda: two.catch_up(["bench"]))
    row("a later use: whether anything changed", *(1000 * value for value in unchanged), "ms")
    two._looked.clear()
    one.put("bench", bench[:1])
    changed = timed(lambda: two.catch_up(["bench"]))
    row("a later use: one document changed", *(1000 * value for value in changed), "ms")
    outcome = {}
    for name, recall in (("local Chroma", local_recall), ("a server", one_recall), ("second", two_recall)):
        wall, cpu, outcome[name] = searches(recall)
        row(f"a search, warm, median: {name}", wall, cpu, "ms")
    same = sum(a == b for a, b in zip(outcome["a server"], outcome["second"], strict=True))
    alike = sum(a == b for a, b in zip(outcome["a server"], outcome["local Chroma"], strict=True))
    print(f"  queries with the same ten hits on both machines: {same} of {len(outcome['second'])}")
    print(f"  queries with the ten hits of local Chroma: {alike} of {len(outcome['second'])}")


if __name__ == "__main__":
    main()
