"""The services, opened behind the first frame: their modules take longer to import than it takes to draw."""

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctxchat.service.open_services import Services


class Opening:
    """Opens them once, in the thread that needs them first. Raises CtxChatError where that fails."""

    def __init__(self, open_services: "Callable[[], Services]") -> None:
        self._open = open_services
        self._opened: Services | None = None
        self._one_at_a_time = Lock()

    @property
    def services(self) -> "Services":
        with self._one_at_a_time:
            if self._opened is None:
                self._opened = self._open()
            return self._opened
