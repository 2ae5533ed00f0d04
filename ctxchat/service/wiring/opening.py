"""What a front end that stays open works with."""

from ctxchat.service.clock import SystemClock
from ctxchat.service.conversations import ConversationService
from ctxchat.service.drafts import Drafts
from ctxchat.service.journal import Journal
from ctxchat.service.open_services import LateServices, Services
from ctxchat.service.pins import PinService
from ctxchat.service.rows import RowService
from ctxchat.service.summaries import SummaryService
from ctxchat.service.turns import TurnService
from ctxchat.service.wiring.chat import chat_service, prompt_wording, system_text
from ctxchat.service.wiring.memory import database, memory_service, note_service
from ctxchat.service.wiring.models import model_service, snapshot_folder
from ctxchat.settings.load import user_file
from ctxchat.settings.schema import Settings
from ctxchat.store.conversations import SqliteConversations

WAIT_SECONDS = 0.5
"""How long a person waits at the most for a conversation in which a turn is answered."""


def opened_services(settings: Settings) -> Services:
    """What a front end that stays open works with. Beside the chat, which has a connection of its own, the
    services share one, so that they need not wait for what a turn reads."""
    record, system = SqliteConversations(database(), WAIT_SECONDS), system_text(settings)
    chat = chat_service(settings, one_shot=False)
    return Services(
        settings=settings,
        settings_file=user_file(),
        chat=chat,
        conversations=ConversationService(record, snapshot_folder(settings), system),
        turns=TurnService(record),
        rows=RowService(record),
        drafts=Drafts(chat, Journal(record, SystemClock(), prompt_wording(), system)),
        pins=PinService(record),
        summaries=SummaryService(record),
        late=LateServices(
            notes=lambda: note_service(settings),
            memory=lambda: memory_service(settings),
            models=lambda: model_service(settings),
        ),
    )
