"""What the thread of a turn tells the widgets."""

from textual.message import Message

from ctxchat.domain.events import ModelLoading, Prefilled, TurnEvent
from ctxchat.service.draft_cost import Draft


class WorkBegan(Message):
    """The thread has begun a piece of work."""

    def __init__(self, work: int) -> None:
        super().__init__()
        self.work = work


class Happened(Message):
    """Events of a piece of work, in their order: all texts since the last message are in one."""

    def __init__(self, work: int, events: tuple[TurnEvent, ...]) -> None:
        super().__init__()
        self.work = work
        self.events = events


class Progressed(Message):
    """How far loading or reading has come: a later one makes it stale."""

    def __init__(self, work: int, event: ModelLoading | Prefilled) -> None:
        super().__init__()
        self.work = work
        self.event = event

    def can_replace(self, message: Message) -> bool:
        """Whether the one behind makes this one stale. The first of a prefill says when it began, so it
        stays."""
        return (
            isinstance(message, Progressed)
            and type(message.event) is type(self.event)
            and self.event.done > 0
        )


class DraftCosted(Message):
    """What the draft will cost; None where that is not known yet. A later one makes it stale."""

    def __init__(self, cost: Draft | None) -> None:
        super().__init__()
        self.cost = cost

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, DraftCosted)


class WorkEnded(Message):
    """A piece of work is over; `failure` says in a line what ended it, and `code` its exit code."""

    def __init__(self, work: int, failure: str | None = None, code: int = 0) -> None:
        super().__init__()
        self.work = work
        self.failure = failure
        self.code = code
