"""Where a question is written: many lines, its history, and what is attached to it."""

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static, TextArea

from ctxchat.context.attachments import Attachment
from ctxchat.display import amounts
from ctxchat.display.plain_text import clean, shortened
from ctxchat.tui.chat.completion import Completion, Completions
from ctxchat.tui.chat.written import Written

LARGE_PASTE = 2_000
"""A paste of more characters than this is attached, and stands in the question as a chip."""

PLACEHOLDER = "Message…  (Enter to send, / for commands, @ for a file)"


class QuestionArea(TextArea):
    """The text of the question: Enter sends it, Up on its first line goes back to earlier ones."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+enter,ctrl+j", "newline", "Newline", show=False),
        Binding("ctrl+g", "screen.editor", "Editor"),
        Binding("ctrl+u", "clear", "Clear", show=False),
    ]

    class Typed(Message):
        """A key that the composer looks at first: enter, tab, up, down or escape."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Pasted(Message):
        """A text too large to stand in the question."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(
            id="composer",
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="focus",
            placeholder=PLACEHOLDER,
        )
        self.completing = False

    async def _on_key(self, event: events.Key) -> None:
        if self._belongs_to_composer(event.key):
            event.stop()
            event.prevent_default()
            self.post_message(self.Typed(event.key))
            return
        await super()._on_key(event)

    def _belongs_to_composer(self, key: str) -> bool:
        if key == "enter" or (self.completing and key in ("tab", "up", "down", "escape")):
            return True
        row = self.cursor_location[0]
        return (key == "up" and row == 0) or (key == "down" and row == self.document.line_count - 1)

    async def _on_paste(self, event: events.Paste) -> None:
        if len(event.text) > LARGE_PASTE:
            event.stop()
            event.prevent_default()
            self.post_message(self.Pasted(event.text))
        else:
            await super()._on_paste(event)

    def action_delete_left(self) -> None:
        if self.text:
            super().action_delete_left()
        else:
            self.post_message(self.Typed("backspace"))

    def action_newline(self) -> None:
        self.insert("\n")

    def action_clear(self) -> None:
        self.text = ""


class Composer(Vertical):
    """The question, its chips, and the completions above it."""

    class Sent(Message):
        """The person pressed Enter."""

        def __init__(self, draft: Written) -> None:
            super().__init__()
            self.draft = draft

    class Changed(Message):
        """The draft is another one."""

        def __init__(self, draft: Written) -> None:
            super().__init__()
            self.draft = draft

    class LeftUpwards(Message):
        """Up, where there is no earlier question: to the transcript."""

    def __init__(self, completions: Completions) -> None:
        """`take_back` is called at Up before the history is: it may put another draft here, and say so."""
        super().__init__(classes="composer")
        self.area = QuestionArea()
        self._completion = Completion(completions)
        self._chips = Static("", classes="chips")
        self._chips.display = False
        self._attachments: list[Attachment] = []
        self._tables: list[Attachment] = []
        self._history: list[str] = []
        self._at = 0
        self.take_back: Callable[[], bool] = bool

    def compose(self) -> ComposeResult:
        yield self._completion
        yield self._chips
        yield self.area

    @property
    def draft(self) -> Written:
        return Written(self.area.text.strip(), tuple(self._attachments), tuple(self._tables))

    def write(self, draft: Written) -> None:
        """Put a draft into the composer, in the place of what is there."""
        self._attachments, self._tables = list(draft.attachments), list(draft.data)
        self._show_chips()
        self.set_text(draft.text)

    def set_text(self, text: str) -> None:
        self.area.text = text
        self.area.move_cursor(self.area.document.end)
        self.area.focus()

    def attach(self, attachment: Attachment, *, table: bool = False) -> None:
        """Let a text ride with the question."""
        (self._tables if table else self._attachments).append(attachment)
        self._show_chips()
        self.post_message(self.Changed(self.draft))

    def attach_all(self, draft: Written) -> None:
        """Let all that rides with another draft ride with this one."""
        for attachment in draft.attachments:
            self.attach(attachment)
        for table in draft.data:
            self.attach(table, table=True)

    def detach(self) -> None:
        """Take the last attachment off."""
        if self._attachments or self._tables:
            (self._attachments or self._tables).pop()
            self._show_chips()
            self.post_message(self.Changed(self.draft))

    def close_completion(self) -> None:
        """Let go of the choices: the word stays as it is."""
        self._completion.close()
        self.area.completing = False

    def remember(self, question: str) -> None:
        """A question that was asked, for the keys Up and Down."""
        if question and (not self._history or self._history[-1] != question):
            self._history.append(question)
        self._at = len(self._history)

    def recall_all(self, questions: list[str]) -> None:
        """The questions of another conversation."""
        self._history, self._at = questions, len(questions)

    def on_text_area_changed(self) -> None:
        self._completion.complete(self.area.text, self.area.cursor_location)
        self.area.completing = self._completion.open
        self.post_message(self.Changed(self.draft))

    def on_question_area_pasted(self, message: QuestionArea.Pasted) -> None:
        number = sum(a.label.startswith("pasted") for a in self._attachments) + 1
        self.attach(Attachment(f"pasted-{number}.txt", message.text))

    def on_question_area_typed(self, message: QuestionArea.Typed) -> None:
        if self._completion.open and message.key != "enter":
            self._in_completion(message.key)
        elif self._completion.open and self._completion.unfinished:
            self._accept()
        elif message.key == "enter":
            self._send()
        elif message.key == "backspace":
            self.detach()
        elif message.key == "down" or not self.take_back():
            self._through_history(-1 if message.key == "up" else 1)

    def on_completion_chosen(self) -> None:
        self._accept()

    def _in_completion(self, key: str) -> None:
        if key == "tab":
            self._accept()
        elif key == "escape":
            self.close_completion()
        else:
            self._completion.move(-1 if key == "up" else 1)

    def _accept(self) -> None:
        text, location = self._completion.accepted(self.area.text, self.area.cursor_location)
        self.area.text = text
        self.area.move_cursor(location)

    def _send(self) -> None:
        draft = self.draft
        if not draft.text:
            return
        self.close_completion()
        self.remember(draft.text)
        self.write(Written(""))
        self.post_message(self.Sent(draft))

    def _through_history(self, step: int) -> None:
        at = self._at + step
        if at < 0 or (step < 0 and not self._history):
            self.post_message(self.LeftUpwards())
        elif at <= len(self._history):
            self._at = at
            self.set_text(self._history[at] if at < len(self._history) else "")
            if step < 0:
                self.area.move_cursor((0, 0))

    def _show_chips(self) -> None:
        attached = [*self._attachments, *self._tables]
        chips = [f" ▤ {shortened(a.label, 30)} {amounts.size(len(a.text.encode()))} " for a in attached]
        self._chips.update(
            Content(clean(" ".join(chips) + "  Backspace takes the last off" if chips else ""))
        )
        self._chips.display = bool(chips)
