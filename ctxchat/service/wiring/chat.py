"""Conversations: asked in, shown and changed."""

from pathlib import Path
from typing import TYPE_CHECKING

from ctxchat import locations
from ctxchat.context import prompt_files
from ctxchat.context.assemble import Wording
from ctxchat.service.chat import ChatService
from ctxchat.service.clock import SystemClock
from ctxchat.service.compaction import Requests
from ctxchat.service.policy import WindowPolicy
from ctxchat.service.remembering import Remembering
from ctxchat.service.texts import Texts
from ctxchat.service.wiring.memory import database, recall
from ctxchat.service.wiring.models import model_opener, snapshot_folder
from ctxchat.settings.schema import Settings, context_for
from ctxchat.store.conversations import SqliteConversations

if TYPE_CHECKING:
    from ctxchat.service.conversations import ConversationService
    from ctxchat.service.open_services import Services
    from ctxchat.service.pins import PinService
    from ctxchat.service.summaries import SummaryService


def chat_service(settings: Settings, *, one_shot: bool = True) -> ChatService:
    """What answers questions with the model and the options of the settings. With `one_shot` cells
    are allocated as they are needed, else the whole window at once, and what the next question needs is
    prepared behind each answer."""
    store = database()
    return ChatService(
        model_opener(settings, one_shot=one_shot),
        SqliteConversations(store),
        SystemClock(),
        texts(settings),
        policy=lambda model: policy(settings, model),
        remembering=Remembering(
            recall(settings, store, changes=not one_shot), settings.notes.collections or None
        ),
        stays=not one_shot,
    )


def conversation_service(settings: Settings) -> "ConversationService":
    """What lists, shows and changes conversations."""
    from ctxchat.service.conversations import ConversationService

    return ConversationService(
        SqliteConversations(database()), snapshot_folder(settings), system_text(settings)
    )


def pin_service() -> "PinService":
    """What adds, lists and removes pins."""
    from ctxchat.service.pins import PinService

    return PinService(SqliteConversations(database()))


def summary_service() -> "SummaryService":
    """What shows summaries, and changes them."""
    from ctxchat.service.summaries import SummaryService

    return SummaryService(SqliteConversations(database()))


def open_services(settings: Settings) -> "Services":
    """What a front end that stays open works with."""
    from ctxchat.service.wiring.opening import opened_services

    return opened_services(settings)


def texts(settings: Settings) -> Texts:
    """What the program says to a model, in the person's own words where there are any."""
    return Texts(prompt_wording(), _requests(prompts_folder()), system_text(settings))


def system_text(settings: Settings) -> str:
    """The system message of new conversations: the settings' text, else the prompt file's."""
    if settings.context.system is not None:
        return settings.context.system
    return prompt_files.text("system", prompts_folder())


def prompts_folder() -> Path:
    """Where the person keeps prompt files of their own."""
    return locations.config_folder() / "prompts"


def prompt_wording() -> Wording:
    """The program's own words in a prompt."""
    own = prompts_folder()
    return Wording(
        pins=prompt_files.around("pins", own, "pins"),
        summary=prompt_files.around("summary", own, "summary"),
        reply=prompt_files.text("reply", own),
        opening=prompt_files.text("opening", own),
        notes=prompt_files.around("notes", own, "notes"),
    )


def _requests(own: Path) -> Requests:
    return Requests(
        summary=lambda words, focus: _summary(own, words, focus),
        merger=lambda texts, words: prompt_files.text("merge", own, summaries=texts, words=str(words)),
    )


def _summary(own: Path, words: int, focus: str) -> str:
    """The request for a summary; a file of the person's own need have no place for the focus."""
    named = f" {prompt_files.text('focus', own, focus=focus)}" if focus else ""
    request = prompt_files.text("summarize", own, words=str(words), focus=named)
    return request if named in request else f"{request}{named}"


def policy(settings: Settings, model: str) -> WindowPolicy:
    """What the settings say of the window for a model of this name."""
    context = context_for(settings, model)
    return WindowPolicy(
        window=settings.model.ctx_size,
        budget=context.budget,
        compact_at=context.compact_at,
        compact_to=context.compact_to,
        folds=context.overflow == "compact",
    )
