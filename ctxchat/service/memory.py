"""What is remembered across conversations: notes of a collection of their own, one a text."""

from dataclasses import dataclass
from hashlib import sha256

from ctxchat.domain.conversation import new_id
from ctxchat.domain.errors import UsageError
from ctxchat.domain.passage import MEMORY, Chunk, Document, Passage
from ctxchat.domain.ports import Notes


@dataclass(frozen=True)
class MemoryService:
    """Texts that a person wants to be remembered."""

    notes: Notes

    def add(self, text: str) -> str:
        """Remember a text, and return its id. One that is remembered already has one."""
        if not text.strip():
            raise UsageError("there is nothing to remember: give a text")
        digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        source = self._source_of(digest)
        if source is None:
            source = f"memory-{new_id()}"
            chunk = Chunk(1, max(1, len(text.splitlines())), text)
            self.notes.put(MEMORY, [Document(source, digest, (chunk,))])
        return next(note.id for note in self.listing() if note.source.startswith(f"{source}:"))

    def listing(self) -> list[Passage]:
        """What is remembered, oldest first."""
        return sorted(self.notes.listing(MEMORY), key=lambda note: note.at)

    def forget(self, beginning: str) -> Passage:
        """Forget the text whose id begins like this, wherever it is kept: also in the messages in which
        it was recalled, and in their summaries. Raises UsageError where that is not one."""
        found = [note.id for note in self.listing() if beginning and note.id.startswith(beginning)]
        if not found:
            raise UsageError(
                f'nothing that is remembered has an id that begins with "{beginning}": '
                "ctxchat memory list shows all of it"
            )
        if len(found) > 1:
            raise UsageError(f'"{beginning}" begins the ids of several texts: {", ".join(found)}')
        return self.notes.forget(found[0])

    def _source_of(self, digest: str) -> str | None:
        hashes = self.notes.hashes(MEMORY)
        return next((source for source, known in hashes.items() if known == digest), None)
