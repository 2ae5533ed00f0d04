"""What the question that is being written will cost: counted in a thread, the latest wins."""

import time
from collections.abc import Callable
from threading import Condition, Thread
from typing import TYPE_CHECKING

from ctxchat.domain.errors import CtxChatError
from ctxchat.service.draft_cost import Draft
from ctxchat.service.request import reasoning_switch
from ctxchat.tui.chat.request import Asking
from ctxchat.tui.chat.written import Written
from ctxchat.tui.commands import parsed
from ctxchat.tui.messages import DraftCosted

if TYPE_CHECKING:
    from ctxchat.service.open_services import Services

PAUSE_SECONDS = 0.15


class Drafting:
    """Counts a draft once the typing pauses, and posts what it costs."""

    def __init__(
        self, cost: Callable[[Written], Draft | None], post: Callable[[DraftCosted], object]
    ) -> None:
        self._cost = cost
        self._post = post
        self._wanted: Written | None = None
        self._changed = Condition()
        self._thread: Thread | None = None

    def count(self, draft: Written) -> None:
        """Count this one, and none that was to be counted before it."""
        with self._changed:
            self._wanted = draft
            self._changed.notify_all()
        if self._thread is None:
            self._thread = Thread(target=self._run, name="draft", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            draft = self._settled()
            try:
                cost = self._cost(draft)
            except CtxChatError:
                cost = None
            if self._wanted is None:
                self._post(DraftCosted(cost))

    def _settled(self) -> Written:
        """The draft that was written last, when it has stood for a moment."""
        with self._changed:
            self._changed.wait_for(lambda: self._wanted is not None)
        time.sleep(PAUSE_SECONDS)
        with self._changed:
            draft, self._wanted = self._wanted, None
        assert draft is not None
        return draft


def cost_of(services: "Services", asking: Asking, draft: Written) -> Draft | None:
    """What sending a draft would cost; None for one that is empty or a command, and while no model is
    loaded. Raises CtxChatError."""
    limit, attached = asking.sampling.max_tokens, (*draft.attachments, *draft.data)
    text = "" if parsed(draft.text) is not None else draft.text
    if not text and not attached:
        return None
    think = reasoning_switch(asking.think, asking.think_budget)
    return services.drafts.cost(asking.conversation, text, attached, limit, think=think)
