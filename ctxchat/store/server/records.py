"""Notes as records of a Chroma server, ours and those of other programs.

A record of ours is called by what it holds: two machines that add the same file write the same records,
and an addition that was broken off is gone on with by the next one.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from ctxchat.domain.passage import Document

Metadata = Mapping[str, str | int | float | bool]

MARK = "ctxchat"
"""The key that tells records of ours; its value is the version of what stands beside it."""
_VERSION = 1
_SOURCES = ("source", "url", "path", "file_path", "title")
"""Keys by which other programs say where a text is from."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a server holds of a note. `place` is where it was in the listing."""

    id: str
    text: str
    metadata: Metadata
    place: int = 0

    @property
    def is_ours(self) -> bool:
        return self.metadata.get(MARK) == _VERSION

    @property
    def hash(self) -> str:
        """Tells whether it has changed."""
        return digest(json.dumps([self.text, dict(self.metadata)], sort_keys=True))

    @property
    def source(self) -> str:
        """What the note is of; a record that does not say is a document by itself."""
        if self.is_ours and "source_bytes" in self.metadata:
            with suppress(ValueError):
                return bytes.fromhex(str(self.metadata["source_bytes"])).decode("utf-8", "surrogatepass")
        found = (self.metadata.get(key) for key in _SOURCES)
        return next((text for text in found if isinstance(text, str) and text), self.id)

    @property
    def lines(self) -> str:
        """Its source with the lines of it, where they are known."""
        if self.is_ours:
            return f"{self.source}:{self.metadata.get('first')}-{self.metadata.get('last')}"
        return self.source

    @property
    def document_hash(self) -> str:
        return str(self.metadata.get("hash", "")) if self.is_ours else self.hash

    @property
    def added(self) -> str:
        """When, as text that sorts; empty where it does not say so that it can be read."""
        said = str(self.metadata.get("added", "")) if self.is_ours else ""
        with suppress(ValueError):
            return said if datetime.fromisoformat(said).tzinfo else ""
        return ""

    @property
    def order(self) -> tuple[int, int, str]:
        """Where it stands in its document."""
        ordinal = self.metadata.get("ordinal") if self.is_ours else None
        return (ordinal if isinstance(ordinal, int) else self.place, self.place, self.id)


def records_of(document: Document, added: str) -> list[Record]:
    """The records of a document."""
    source = unicode(document.source)
    common: dict[str, str | int] = {"source": source, "hash": document.hash, "added": added, MARK: _VERSION}
    if source != document.source:
        common["source_bytes"] = document.source.encode("utf-8", "surrogatepass").hex()
    records = []
    for ordinal, chunk in enumerate(document.chunks):
        text = unicode(chunk.text)
        name = digest(f"{source}\n{ordinal}\n{text}")
        its_own: dict[str, str | int] = {"ordinal": ordinal, "first": chunk.first, "last": chunk.last}
        records.append(Record(name, text, common | its_own, ordinal))
    return records


def passage_id(collection: str, record: str) -> str:
    """The id of a note by the number of its collection on the server: the same on every machine."""
    return digest(f"{collection}\n{record}")[:16]


def by_source(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Records as documents, in their order."""
    documents: dict[str, list[Record]] = {}
    for record in records:
        documents.setdefault(record.source, []).append(record)
    return {source: sorted(found, key=lambda record: record.order) for source, found in documents.items()}


def hash_of(records: Sequence[Record]) -> str:
    """The hash of a document; one that no file has, where its records are of several versions."""
    hashes = {record.document_hash for record in records}
    return hashes.pop() if len(hashes) == 1 else ""


def unicode(text: str) -> str:
    """What is no Unicode is replaced: no JSON can carry it."""
    return text.encode("utf-8", "replace").decode()


def digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
