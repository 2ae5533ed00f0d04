"""What all modal screens share: a panel, one line that says how things stand, and work in threads."""

from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import ClassVar, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static
from textual.worker import Worker, get_current_worker

from ctxchat.display.plain_text import one_line
from ctxchat.domain.errors import CtxChatError
from ctxchat.tui.key_line import KeyLine

Closed = TypeVar("Closed")
"""What a screen is dismissed with."""

Found = TypeVar("Found")
"""What was worked out in a thread."""


class Came(Message):
    """Something a thread has worked out, to be taken up in the loop of the screen."""

    def __init__(self, take: Callable[[], None]) -> None:
        super().__init__()
        self.take = take


class Told(Message):
    """How far a thread has come; a later one takes the place of one that was not shown yet."""

    def __init__(self, line: str) -> None:
        super().__init__()
        self.line = line

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Told)


class PanelScreen(ModalScreen[Closed]):
    """A panel over what is there. Escape closes it."""

    CSS_PATH: ClassVar[str | PurePath | list[str | PurePath] | None] = "panel.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual has it so
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close")]
    HEADING = ""

    def __init__(self, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._said = Static(id="said", classes="-empty", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(id="panel") as panel:
            panel.border_title = self.HEADING
            yield from self.parts()
            yield self._said
        yield KeyLine(show_command_palette=False, compact=True)

    def parts(self) -> Iterator[Widget]:
        """What stands in the panel, from the top."""
        yield from ()

    def result(self) -> Closed | None:
        """What the screen is closed with where nothing was chosen."""
        return None

    def say(self, line: str, *, wrong: bool = False) -> None:
        """Put a line below the panel's content; an empty one takes the last away."""
        self._said.set_class(wrong, "-wrong")
        self._said.set_class(not line, "-empty")
        self._said.update(Text(one_line(line)))

    def in_thread(
        self,
        work: Callable[[], Found],
        take: Callable[[Found], None],
        *,
        group: str = "reading",
        exclusive: bool = True,
    ) -> Worker[None]:
        """Work something out beside the loop, and take it up in the loop; an expected failure is said.
        With `exclusive` what an earlier one of the group finds is not wanted any more. What comes once
        the screen is closed is dropped."""

        def run() -> None:
            worker = get_current_worker()
            try:
                found = work()
            except (CtxChatError, OSError) as error:
                line = str(error)
                self._post(worker, lambda: self.say(line, wrong=True))
            else:
                self._post(worker, lambda: take(found))

        return self.run_worker(run, thread=True, group=group, exclusive=exclusive)

    def _post(self, worker: Worker[None], take: Callable[[], None]) -> None:
        if not worker.is_cancelled:
            self.post_message(Came(take))

    def on_came(self, message: Came) -> None:
        if self.is_attached:
            message.take()

    def on_told(self, message: Told) -> None:
        self.say(message.line)

    def dismiss(self, result: Closed | None = None) -> AwaitComplete:
        """Close the screen. Its threads are told at once, not when it is gone."""
        self.workers.cancel_node(self)
        return super().dismiss(result)

    def action_close(self) -> None:
        self.dismiss(self.result())
