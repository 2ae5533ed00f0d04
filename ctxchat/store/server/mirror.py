"""The mirror of a server's collections in SQLite: what recall ranks, the same on every machine.

A collection is looked through, record by record without vectors, where its stamp, its number of records
or its embedder is another than last time. Other programs set no stamp: what they change without
changing the number is seen at once in a small collection, and in a large one when it was last looked
through some minutes ago. Vectors and texts are only fetched, or made, of what is new.
"""

import time
from collections.abc import Mapping, Sequence

from ctxchat.domain.ports import Embedder
from ctxchat.store import note_rows
from ctxchat.store.database import Database
from ctxchat.store.note_indexes import embedded
from ctxchat.store.postings import rewrite_index
from ctxchat.store.rows import now
from ctxchat.store.server import mirror_rows
from ctxchat.store.server.client import ServerCollection
from ctxchat.store.server.failures import GoneError
from ctxchat.store.server.mirror_rows import Known, Row
from ctxchat.store.server.records import Record, by_source, hash_of, passage_id

FEW_NOTES = 1000
LOOK_SECONDS = 600.0
_RECORDS_AT_ONCE = 500


class Mirror:
    """Mirrors one place. Whoever calls holds the lock of the notes."""

    def __init__(self, database: Database, place: str) -> None:
        self._database = database
        self._place = place

    def key(self, name: str) -> str:
        return mirror_rows.key_of(self._place, name)

    def known(self, name: str) -> dict[str, Known]:
        """What is mirrored of a collection, by its records."""
        with self._database.reading() as connection:
            return mirror_rows.known_of(connection, self.key(name))

    def keep_only(self, names: set[str]) -> None:
        """Drop what the server has no more."""
        with self._database.reading() as connection:
            gone = set(mirror_rows.names_at(connection, self._place)) - names
        if gone:
            with self._database.writing() as connection:
                for name in gone:
                    mirror_rows.drop(connection, self.key(name))
                rewrite_index(connection)
            self._database.empty_log()

    def catch_up(self, found: ServerCollection, embedder: Embedder) -> None:
        """Make the mirror of a collection hold what the server holds."""
        try:
            stamp, count, space = found.stamp, found.count(), found.space or embedder.space
            if self._is_seen(found, stamp, count, space):
                return
            records = [record for record in found.records() if record.text.strip()]
        except GoneError:
            self.keep_only(self._names() - {found.name})
            return
        self.begin(found, space)
        known = self.known(found.name)
        documents = by_source(records)
        changed = _changed(known, documents)
        self.remove([source for source in changed if source not in documents], found.name)
        for batch in _batches({source: documents[source] for source in changed if source in documents}):
            self.write(found, batch, self._vectors(found, batch, known, embedder), space)
        self.seen(found.name, stamp, count)

    def write(
        self,
        found: ServerCollection,
        documents: Mapping[str, Sequence[Record]],
        vectors: Mapping[str, bytes],
        space: str,
    ) -> None:
        """Write documents, each in the place of the one of its source. `vectors` are by record."""
        key = self.key(found.name)
        with self._database.writing() as connection:
            note_rows.delete_documents(connection, key, list(documents))
            for source, records in documents.items():
                rows = [_row(found.number, record, vectors.get(record.id)) for record in records]
                tag = (hash_of(records), max(record.added for record in records) or now())
                mirror_rows.write_document(connection, key, source, tag, rows, space)

    def seen(self, name: str, stamp: str | None, count: int) -> None:
        """The mirror holds what the server held under this stamp."""
        with self._database.writing() as connection:
            mirror_rows.seen(connection, self.key(name), stamp, count, time.time())
            note_rows.delete_empty(connection)

    def begin(self, found: ServerCollection, space: str) -> None:
        """Have a mirror for a collection."""
        with self._database.reading() as connection:
            state = mirror_rows.state_of(connection, self.key(found.name))
        if state is None or (state.number, state.space) != (found.number, space):
            with self._database.writing() as connection:
                mirror_rows.begin(connection, self._place, found.name, found.number, space)

    def remove(self, sources: Sequence[str], name: str) -> None:
        """Remove documents that the server has no more."""
        if sources:
            with self._database.writing() as connection:
                note_rows.delete_documents(connection, self.key(name), sources)
                rewrite_index(connection)
            self._database.empty_log()

    def _names(self) -> set[str]:
        with self._database.reading() as connection:
            return set(mirror_rows.names_at(connection, self._place))

    def _is_seen(self, found: ServerCollection, stamp: str, count: int, space: str) -> bool:
        """Whether nothing can have changed since it was looked through."""
        with self._database.reading() as connection:
            state = mirror_rows.state_of(connection, self.key(found.name))
        if state is None:
            return count == 0
        as_it_was = (state.number, state.stamp, state.notes, state.space) == (
            found.number,
            stamp,
            count,
            space,
        )
        return as_it_was and count > FEW_NOTES and time.time() - state.looked < LOOK_SECONDS

    def _vectors(
        self,
        found: ServerCollection,
        documents: Mapping[str, Sequence[Record]],
        known: Mapping[str, Known],
        embedder: Embedder,
    ) -> dict[str, bytes]:
        """Vectors by record: those that are here, those of the server where they lie in the embedder's space
        and are of our making, and for the rest new ones. None where the embedder is another one."""
        if found.space not in (None, embedder.space):
            return {}
        records = [record for of_source in documents.values() for record in of_source]
        same = {r.id: known[r.id].passage for r in records if r.id in known and known[r.id].hash == r.hash}
        with self._database.reading() as connection:
            here = mirror_rows.vectors_of(connection, same.values(), embedder.space)
        vectors = {record: here[passage] for record, passage in same.items() if passage in here}
        theirs = [r.id for r in records if found.space and r.is_ours and r.id not in vectors]
        vectors |= found.vectors(theirs) if theirs else {}
        bare = [record for record in records if record.id not in vectors]
        made = embedded(embedder, [record.text for record in bare])
        return vectors | {record.id: vector for record, vector in zip(bare, made, strict=True)}


def _changed(known: Mapping[str, Known], documents: Mapping[str, Sequence[Record]]) -> list[str]:
    """Sources of the documents that are not as they are mirrored, gone ones included."""
    before: dict[str, set[tuple[str, str]]] = {}
    for record, (source, hash_, _) in known.items():
        before.setdefault(source, set()).add((record, hash_))
    after = {source: {(r.id, r.hash) for r in records} for source, records in documents.items()}
    return sorted(
        source for source in before.keys() | after.keys() if before.get(source) != after.get(source)
    )


def _batches(documents: Mapping[str, Sequence[Record]]) -> list[dict[str, Sequence[Record]]]:
    """Documents as many as are fetched and written at once."""
    batches: list[dict[str, Sequence[Record]]] = [{}]
    for source, records in documents.items():
        if batches[-1] and sum(map(len, batches[-1].values())) + len(records) > _RECORDS_AT_ONCE:
            batches.append({})
        batches[-1][source] = records
    return batches if documents else []


def _row(number: str, record: Record, vector: bytes | None) -> Row:
    id_ = passage_id(number, record.id)
    return Row(id_, record.lines, record.text, record.id, record.hash, vector)
