"""What the service needs of the layers below it, as protocols."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import (
    Change,
    Conversation,
    ConversationSummary,
    Message,
    Omission,
    Pin,
    Role,
    SearchHit,
)
from ctxchat.domain.costs import Costs
from ctxchat.domain.events import EngineEvent, ModelLoading, Warned
from ctxchat.domain.kv import KvCache, PrefixCache
from ctxchat.domain.measurement import Calibration
from ctxchat.domain.model import Generation, ModelFacts, Scaffold, TemplateBehaviour
from ctxchat.domain.passage import Chunk, Collection, Document, Hashes, Hit, Passage, Scope
from ctxchat.domain.prompt import SegmentKey
from ctxchat.domain.receipt import Memory
from ctxchat.domain.summary import SummaryBlock


class Clock(Protocol):
    """The one clock of a turn."""

    def now(self) -> datetime:
        """The time of day, with its zone."""

    def seconds(self) -> float:
        """Seconds since the process began, steady."""


class Vocabulary(Protocol):
    """Text to token ids and back, callable from any thread. `remote` says that a server makes them."""

    remote: bool

    @property
    def fingerprint(self) -> str:
        """Names the vocabulary: the same text has the same ids wherever it is equal."""

    @property
    def exact(self) -> bool:
        """False where counts are estimates."""

    @property
    def begin(self) -> tuple[int, ...]:
        """Ids every prompt must begin with: the beginning-of-text token, or none."""

    def tokenize(self, text: str, *, special: bool, after: int | None) -> tuple[int, ...]:
        """Ids of a segment.

        Texts of control tokens are read as such only where `special`. `after` is the id the
        segment follows, None at the beginning: a SentencePiece vocabulary adds its space only
        there and after a control token.
        """

    def text(self, ids: Iterable[int]) -> str:
        """The text of ids, control tokens included, bytes that are not UTF-8 replaced."""


class Template(Protocol):
    """The chat template of a model."""

    @property
    def behaviour(self) -> TemplateBehaviour:
        """What it does to earlier turns."""

    def scaffold(
        self, roles: Sequence[Role], *, at: datetime, think: bool | None, answer: bool = True
    ) -> Scaffold:
        """What stands around messages of these roles. `at` is the date it may show, `think` the
        reasoning switch (None leaves it to the template), `answer` asks for the generation
        prompt. Raises ModelError where the template refuses or does not finish in time."""


class Model(Protocol):
    """A model that answers one prompt at a time. Everything but `load` and `costs` needs it loaded."""

    @property
    def facts(self) -> ModelFacts: ...

    @property
    def vocabulary(self) -> Vocabulary: ...

    @property
    def template(self) -> Template: ...

    @property
    def cache(self) -> KvCache | None:
        """None where the cells are somebody else's."""

    @property
    def prefixes(self) -> PrefixCache | None:
        """None where the cells are ours."""

    @property
    def costs(self) -> Costs | None:
        """None before the model is loaded."""

    def load(self, cancel: Cancel, *, weights: bool = True) -> Iterator[ModelLoading | Warned]:
        """Make the model ready, once; without `weights` only facts, vocabulary and template are.
        Tells what gives way for memory. Raises ModelError. Ends early, not loaded, where it was cancelled."""

    def generate(self, generation: Generation, cancel: Cancel) -> Iterator[EngineEvent]:
        """Read the prompt and answer. Ends with `Generated`, also where it was cancelled; closing
        the iterator cancels. Raises EngineError, and PromptTooLargeError where cells run out."""

    def calibrate(self, cancel: Cancel, seconds: float) -> Iterator[Calibration]:
        """Find what work costs within so many seconds, in cells of its own, and learn it; gives one
        calibration, also where it was cancelled. Raises ModelError where there is no memory for it."""

    def memory(self) -> Memory | None:
        """None where it lies elsewhere."""

    def close(self) -> None: ...


class Embedder(Protocol):
    """Texts to vectors. Not called from two threads at once."""

    @property
    def space(self) -> str:
        """Names the vector space: vectors of two spaces are never compared."""

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """A vector of length 1 for each text, as little-endian float16; all zeros where it knows no
        word of the text. Raises ModelError."""


class Recall(Protocol):
    """Finds passages. Every method raises StoreError where the store cannot be read."""

    def warm(self, collections: Sequence[str] | None = None) -> None:
        """Import and open what searching in notes (of these collections, None for all) needs, and bring
        here what changed on their server; callable from another thread. Raises NotesUnreachableError."""

    def collections(self, *, writes: bool = True) -> list[str]:
        """Names of the collections there are: quick, and nothing heavy is imported for it, where they lie on
        this machine. Else their server is asked. Raises NotesUnreachableError where it cannot be, or is
        not to be: without `writes` nobody is asked."""

    def remarks(self, collections: Sequence[str] | None = None) -> list[str]:
        """What is to be said of the notes of these collections, a line each; None for all."""

    def stale(self) -> list[str]:
        """Collections whose index is not what the store says, searched more slowly; imports nothing heavy."""

    def repair(self) -> list[str]:
        """Build indexes that are stale again; a line for each."""

    def holds(self, scope: Scope) -> bool:
        """Whether there is anything to look at: quick, and nothing heavy is imported for it."""

    def search(self, query: str, scope: Scope, limit: int | None = None, *, writes: bool = True) -> list[Hit]:
        """Passages of the scope, best first; all that were scored where `limit` is None. Without `writes` no
        file is changed by it, which is slower where there are many notes, and no server is asked. Raises
        NotesUnreachableError where the notes of the scope lie on a server that cannot be asked."""


class Notes(Protocol):
    """Notes in collections: text and vectors in the store, which is the truth, and an index in Chroma; or on
    a Chroma server, which is the truth, and a mirror in the store.

    Writing waits for another process that writes, and raises NotesBusyError after 5 s. Every method
    raises StoreError where the store cannot be read or written, NotesUnreachableError for the server.
    """

    def hashes(self, collection: str) -> Hashes:
        """What the collection holds now; nothing where there is no such collection."""

    def put(self, collection: str, documents: Iterable[Document]) -> None:
        """Add documents, each taking the place of the one of the same source. When this returns they
        are on the disk and can be found. They are written in batches: what a death leaves behind is
        whole documents, and what is not in Chroma by then is put there by whoever comes next."""

    def remove(self, collection: str, sources: Sequence[str]) -> int:
        """Remove documents by their sources, and count their notes. A collection that becomes empty is
        gone."""

    def forget(self, note: str) -> Passage:
        """Remove one note by its id (or a unique beginning of it), and return what it was. Raises
        UsageError where there is none."""

    def listing(self, collection: str | None = None) -> list[Passage]:
        """Notes in order of collection, document and place; of all collections where it is None."""

    def collections(self) -> list[Collection]:
        """By name."""

    def repair(self) -> list[str]:
        """Make Chroma hold what the store holds; a line for each collection that had to be rebuilt."""


class Conversations(Protocol):
    """The record. Every method raises StoreError where it cannot be read or written."""

    def create(self, name: str, system: str, pins: Sequence[str] = ()) -> Conversation:
        """A new conversation without messages; a name already taken gets a number behind it."""

    def adopt(self, name: str, system: str, messages: Sequence[Message]) -> Conversation:
        """A new conversation of messages said elsewhere, each behind the one before it: all of them
        are recorded, or none. A name already taken gets a number behind it."""

    def find(self, reference: str) -> Conversation | None:
        """By id, by name, or by a unique beginning of an id (of four letters at least).
        Raises UsageError where a beginning is not unique."""

    def latest(self) -> Conversation | None:
        """The one used last."""

    def path(self, conversation: str, vocabulary: str | None = None) -> tuple[Message, ...]:
        """Messages from the root to the head, their segments with the ids of `vocabulary`."""

    def append(
        self,
        conversation: str,
        message: Message,
        vocabulary: str | None = None,
        change: Change | None = None,
    ) -> None:
        """Journal a message behind its parent and make it the head. Ids of its segments are kept
        under `vocabulary`. An answer marks its questions answered. With a `change` it can be undone."""

    def turn_back(self, conversation: str, head: str | None, change: Change) -> None:
        """Make an earlier message of the path the head, None for no message at all. What was behind it
        stays in the tree, and can be brought back."""

    def last_change(self, conversation: str) -> Change | None:
        """What `undo_change` would take back."""

    def undo_change(self, conversation: str) -> Change | None:
        """Put the head where it was before the last change that was not taken back yet; None where there
        is none. What was said since stays in the tree."""

    def leave_out(self, conversation: str, message: str, what: Omission) -> None:
        """Send the turn of a question, or what is attached to a message, no more."""

    def put_back(self, conversation: str, message: str, what: Omission) -> None:
        """Send it again. Raises UsageError where it was not left out."""

    def restate(self, question: Message) -> None:
        """Record other segments for a question that is not answered yet, as filters and recall have made
        them. What was spoken in it stays as it is."""

    def keep_attached(self, message: str, label: str, chunks: Sequence[Chunk]) -> None:
        """Keep the whole of a text that was attached to a message and is not sent whole, as passages
        that can be recalled; joined in their order they are the text. One that is kept already stays."""

    def reclaim(self, conversation: str, message: str) -> None:
        """Send the notes and the data of the messages up to this one no more."""

    def keep_ids(self, vocabulary: str, ids: Mapping[SegmentKey, tuple[int, ...]]) -> None:
        """Keep ids that were made from recorded text."""

    def pin(self, conversation: str, pin: Pin) -> None:
        """Add a pin, or say where one that is there rides from now on."""

    def set_system(self, conversation: str, system: str) -> None:
        """Change the system text of a conversation that has no turns yet."""

    def unpin(self, conversation: str, pin: str) -> None:
        """Remove a pin by its id. Raises UsageError where there is none."""

    def blocks(self, conversation: str) -> tuple[SummaryBlock, ...]:
        """The live summary blocks, oldest first: those whose messages lie on the path."""

    def compact(self, conversation: str, blocks: Sequence[SummaryBlock]) -> None:
        """Make these the live blocks, and let all pins stand before the history. What was live
        before is kept, for `undo_compaction`."""

    def undo_compaction(self, conversation: str) -> bool:
        """Make the blocks before the last compaction live again; False where there was none."""

    def fork(self, conversation: str, head: str | None = None) -> Conversation:
        """A new conversation with the same head (or an earlier message of the path), pins, summary blocks
        and what is left out."""

    def listing(self) -> list[ConversationSummary]:
        """All of them, last used first."""

    def search(self, query: str, limit: int) -> list[SearchHit]:
        """Messages that hold the words, best first."""

    def rename(self, conversation: str, name: str) -> None:
        """Raises UsageError where the name is another's."""

    def delete(self, conversation: str) -> None:
        """Remove it, and the messages no other conversation holds."""

    def hold(self, conversation: str) -> AbstractContextManager[None]:
        """Keep other processes from answering in it. Raises ConversationBusyError after 5 s."""
