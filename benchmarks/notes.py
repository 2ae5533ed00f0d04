"""Notes: what indexing and searching cost, and what memory they take beside a bare Chroma.

    python benchmarks/notes.py                     # 10,000 notes: notes a second of CPU, CPU of a search
    python benchmarks/notes.py --notes 100000      # the same of more, and the peak of memory

Chroma's own insert is timed apart: it is the same for everybody. Memory is the peak of a process
that adds the notes, beside that of one that gives the same vectors to Chroma and does nothing else.
"""

import argparse
import json
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ctxchat.domain.passage import Chunk, Document, PassageKind, Scope

ROOT = Path(__file__).parents[1]
NOTES_A_DOCUMENT, WORDS_A_NOTE = 5, 60
QUERIES, WARM = 100, 5


def sentences() -> list[str]:
    """Words as they follow each other in the project's own documents."""
    texts = [path.read_text() for path in sorted(ROOT.glob("**/*.md")) if ".venv" not in path.parts]
    return re.findall(r"[A-Za-z]{2,}", " ".join(texts))


def documents(notes: int) -> Iterator[Document]:
    words, draw = sentences(), random.Random(0)
    for number in range(0, notes, NOTES_A_DOCUMENT):
        chunks = []
        for place in range(NOTES_A_DOCUMENT):
            parts = (draw.randrange(len(words) - 10) for _ in range(WORDS_A_NOTE // 10))
            text = " ".join(word for part in parts for word in words[part : part + 10])
            chunks.append(Chunk(place + 1, place + 1, f"{number + place} {text}"))
        yield Document(f"/notes/{number}.md", str(number), tuple(chunks))


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure_ours(notes: int, folder: Path) -> dict[str, float]:
    """Add and search as the program does."""
    from ctxchat.engine.llama.bindings import library

    library()
    from ctxchat.store.database import Database
    from ctxchat.store.note_store import SqliteNotes
    from ctxchat.store.notes import NoteIndex
    from ctxchat.store.recall import SqliteRecall
    from ctxchat.store.static_embedding import StaticEmbedder

    embedder = StaticEmbedder()
    inside = 0.0
    upsert = NoteIndex.upsert

    def timed(*arguments: object) -> None:
        nonlocal inside
        began = time.process_time()
        upsert(*arguments)
        inside += time.process_time() - began

    NoteIndex.upsert = timed
    store = SqliteNotes(Database(folder / "notes.sqlite3"), lambda: embedder)
    store.put("warm", [Document("warm", "0", (Chunk(1, 1, "warm"),))])
    making = time.process_time()
    for _ in documents(notes):
        pass
    making = time.process_time() - making
    inside, began = 0.0, time.process_time()
    store.put("bench", documents(notes))
    whole = time.process_time() - began - making
    indexed = peak()

    recall = SqliteRecall(Database(folder / "notes.sqlite3"), lambda: embedder, lambda: store)
    recall.warm()
    scope = Scope(collections=None, kinds=(PassageKind.NOTE,))
    words, draw = sentences(), random.Random(1)
    taken = []
    for _ in range(WARM + QUERIES):
        begin = draw.randrange(len(words) - 8)
        query = " ".join(words[begin : begin + 8])
        began = time.process_time()
        found = recall.search(query, scope, 10)
        taken.append(time.process_time() - began)
        assert found
    return {
        "ours": whole - inside,
        "chroma": inside,
        "search": statistics.median(taken[WARM:]),
        "search_most": max(taken[WARM:]),
        "first": taken[0],
        "peak": indexed,
    }


def measure_chroma(notes: int, folder: Path) -> dict[str, float]:
    """The same number of vectors of the same length, given to Chroma alone."""
    import numpy as np

    from ctxchat.store.chroma_library import client

    collection = client(folder / "bare").get_or_create_collection(
        "bare", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
    )
    draw = np.random.default_rng(0)
    began = time.process_time()
    for begin in range(0, notes, 1000):
        ids = [f"{number:016}" for number in range(begin, min(notes, begin + 1000))]
        vectors = draw.standard_normal((len(ids), 256), np.float32)
        collection.upsert(ids=ids, embeddings=vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    return {"chroma": time.process_time() - began, "peak": peak()}


def run_apart(what: str, notes: int) -> dict[str, float]:
    """A measurement in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--notes", str(notes), "--measure", what, folder]
        ended = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--notes", type=int, default=10_000)
    parser.add_argument("--measure", nargs=2, metavar=("WHAT", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        what, folder = arguments.measure
        measure = {"ours": measure_ours, "chroma": measure_chroma}[what]
        print(json.dumps(measure(arguments.notes, Path(folder))))
        return
    ours, bare = (run_apart(what, arguments.notes) for what in ("ours", "chroma"))
    print(f"{arguments.notes:,} notes of {WORDS_A_NOTE} words; CPU time")
    print(f"  indexing, Chroma's own insert apart   {arguments.notes / ours['ours']:9,.0f} notes/s")
    print(f"  Chroma's own insert in it             {arguments.notes / ours['chroma']:9,.0f} notes/s")
    print(f"  Chroma alone, random vectors          {arguments.notes / bare['chroma']:9,.0f} notes/s")
    print(f"  a search, warm: median of {QUERIES}         {1000 * ours['search']:9.1f} ms")
    print(f"  a search, warm: the longest           {1000 * ours['search_most']:9.1f} ms")
    print(f"  the first search                      {1000 * ours['first']:9.1f} ms")
    print(f"  peak of memory                        {ours['peak'] / 1e6:9.0f} MB")
    print(f"  peak of Chroma alone                  {bare['peak'] / 1e6:9.0f} MB")


if __name__ == "__main__":
    main()
