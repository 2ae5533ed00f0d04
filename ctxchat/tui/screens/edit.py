"""A text that is written anew, here or in the person's own editor."""

from collections.abc import Callable, Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import TextArea

from ctxchat.display.plain_text import clean, one_line
from ctxchat.domain.errors import CtxChatError
from ctxchat.tui.screens.confirm import ConfirmScreen
from ctxchat.tui.screens.panel import PanelScreen


class EditScreen(PanelScreen[bool]):
    """Whether it was saved. `save` is called in a thread; where it fails the text stays, and the person is
    told why. `write` is called in the loop, and gives the text as it is left in an editor outside; with
    `outside` that is opened at once."""

    CSS_PATH = ["panel.tcss", "edit.tcss"]  # noqa: RUF012 - Textual has it so
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Cancel", priority=True),
        Binding("ctrl+s", "save", "Save", priority=True),
        Binding("ctrl+g", "write", "$EDITOR", priority=True),
    ]

    def __init__(
        self,
        title: str,
        text: str,
        save: Callable[[str], None],
        write: Callable[[str], str],
        *,
        outside: bool = False,
    ) -> None:
        super().__init__()
        self._title, self._before = title, clean(text)
        self._save, self._write, self._outside = save, write, outside
        self._area = TextArea(self._before, soft_wrap=True, compact=True, id="area")
        self._saving = False

    def parts(self) -> Iterator[Widget]:
        yield self._area

    def on_mount(self) -> None:
        self.query_one("#panel").border_title = Content(one_line(self._title))
        self._area.focus()
        if self._outside:
            self.call_after_refresh(self.action_write)

    def result(self) -> bool:
        return False

    def action_close(self) -> None:
        """A text that was changed is not thrown away by a slip."""
        if self._saving:
            return
        if self._area.text == self._before:
            super().action_close()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.dismiss(False)

        question = "Throw away what you changed?"
        self.app.push_screen(ConfirmScreen(question, yes="Throw away", no="Go on"), answered)

    def action_save(self) -> None:
        if self._saving:
            return
        text = self._area.text
        self._hold(saving=True)
        self.say("saving …")
        self.in_thread(lambda: self._tried(text), self._saved)

    def action_write(self) -> None:
        if self._saving:
            return
        try:
            text = self._write(self._area.text)
        except CtxChatError as error:
            self.say(str(error), wrong=True)
        else:
            self._area.text = clean(text).rstrip("\n")
            self.say("Ctrl-S saves it")

    def _tried(self, text: str) -> str | None:
        """Why it could not be saved."""
        try:
            self._save(text)
        except (CtxChatError, OSError) as error:
            return str(error)
        return None

    def _saved(self, why_not: str | None) -> None:
        self._hold(saving=False)
        if why_not is None:
            self.dismiss(True)
        else:
            self.say(why_not, wrong=True)

    def _hold(self, *, saving: bool) -> None:
        """While it is saved nothing is typed: what stands there is what is saved."""
        self._saving = self._area.read_only = saving
