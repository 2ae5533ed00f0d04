"""What a front end that stays open works with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ctxchat.domain.ports import Vocabulary
from ctxchat.service.chat import ChatService
from ctxchat.service.conversations import ConversationService
from ctxchat.service.drafts import Drafts
from ctxchat.service.pins import PinService
from ctxchat.service.rows import RowService
from ctxchat.service.summaries import SummaryService
from ctxchat.service.turns import TurnService
from ctxchat.settings.schema import Settings

if TYPE_CHECKING:
    from ctxchat.service.memory import MemoryService
    from ctxchat.service.model_service import ModelService
    from ctxchat.service.notes import NoteService


@dataclass(frozen=True)
class LateServices:
    """Services that are made at first need: they import much, or look at many files."""

    notes: "Callable[[], NoteService]"
    memory: "Callable[[], MemoryService]"
    models: "Callable[[], ModelService]"


@dataclass(frozen=True)
class Services:
    """`chat` is asked by one thread at a time, and `drafts` by any. What the others change is refused with
    ConversationBusyError while a turn, or upkeep, holds the conversation."""

    settings: Settings
    settings_file: Path
    chat: ChatService
    conversations: ConversationService
    turns: TurnService
    rows: RowService
    drafts: Drafts
    pins: PinService
    summaries: SummaryService
    late: LateServices

    @cached_property
    def notes(self) -> "NoteService":
        return self.late.notes()

    @cached_property
    def memory(self) -> "MemoryService":
        return self.late.memory()

    @cached_property
    def models(self) -> "ModelService":
        return self.late.models()

    @contextmanager
    def vocabulary(self) -> Iterator[Vocabulary]:
        """What texts are counted with, in any thread. Raises EngineError while no model is loaded."""
        with self.chat.counting(None) as assembly:
            yield assembly.model.vocabulary

    def close(self) -> None:
        """Give the model's memory back."""
        self.chat.close()
