"""Where a question is written: its text, what is attached to it, and what it will cost."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from ctxchat.context.attachments import Attachment
from ctxchat.service.draft_cost import Draft as Cost
from ctxchat.tui.chat.chips import Chips
from ctxchat.tui.chat.completion import Completion, Completions
from ctxchat.tui.chat.foretold import foretold
from ctxchat.tui.chat.history import History
from ctxchat.tui.chat.question_area import MOST_HELD, QuestionArea, written
from ctxchat.tui.chat.written import Written
from ctxchat.tui.commands import parsed


class Composer(Vertical):
    """The question, its chips, and the completions above it; its cost stands in the border below it."""

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
        self._chips = Chips()
        self._history = History()
        self._cost: Cost | None = None
        self.take_back: Callable[[], bool] = bool

    def compose(self) -> ComposeResult:
        yield self._completion
        yield self._chips
        yield self.area

    @property
    def draft(self) -> Written:
        return Written(self.area.text.strip(), self._chips.texts, self._chips.tables)

    def write(self, draft: Written) -> None:
        """Put a draft into the composer, in the place of what is there."""
        self._put_chips(draft.attachments, draft.data)
        self.set_text(draft.text)

    def set_text(self, text: str) -> None:
        """Put a text into the place of what is there; one too long to be edited is attached."""
        text = written(text)
        if len(text) > MOST_HELD:
            self._attach_text("question", text)
            text = ""
        self.area.text = text
        self.area.move_cursor(self.area.document.end)
        self.area.focus()

    def attach(self, attachment: Attachment, *, table: bool = False) -> None:
        """Let a text ride with the question."""
        added = (attachment,)
        self._put_chips(self._chips.texts + added * (not table), self._chips.tables + added * table)

    def attach_all(self, draft: Written) -> None:
        """Let all that rides with another draft ride with this one."""
        self._put_chips(self._chips.texts + draft.attachments, self._chips.tables + draft.data)

    def detach(self) -> None:
        """Take the last attachment off."""
        texts, tables = self._chips.texts, self._chips.tables
        self._put_chips(texts if tables else texts[:-1], tables[:-1])

    def show_cost(self, cost: Cost | None) -> None:
        """Show what sending the draft will cost; None where it is not known, or there is nothing to send."""
        self._cost = cost
        if cost is not None:
            self._chips.count(cost.attached, exact=cost.exact)
        self._draw_cost()

    def close_completion(self) -> None:
        """Let go of the choices: the word stays as it is."""
        self._completion.close()
        self.area.completing = False

    def recall_all(self, questions: list[str]) -> None:
        """The questions of another conversation."""
        self._history.begin(questions)

    def on_resize(self) -> None:
        self._draw_cost()

    def on_text_area_changed(self) -> None:
        row, column = self.area.cursor_location
        self._completion.complete(self.area.document[row][:column], first=row == 0)
        self.area.completing = self._completion.open
        self.post_message(self.Changed(self.draft))

    def on_question_area_pasted(self, message: QuestionArea.Pasted) -> None:
        self._attach_text("pasted", message.text)

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
        """Send what is there. What is attached stays for the question where this is a command."""
        draft = self.draft
        if not draft.text:
            return
        self.close_completion()
        self._history.add(draft.text)
        if parsed(draft.text) is None:
            self._put_chips((), ())
        self.set_text("")
        self.post_message(self.Sent(draft))

    def _through_history(self, step: int) -> None:
        question = self._history.moved(step, self.area.text)
        if question is not None:
            self.set_text(question)
            if step < 0:
                self.area.move_cursor((0, 0))
        elif step < 0:
            self.post_message(self.LeftUpwards())

    def _attach_text(self, name: str, text: str) -> None:
        """Attach a text that came from no file, under a name that no other has."""
        number = sum(one.label.startswith(f"{name}-") for one in self._chips.texts) + 1
        self.attach(Attachment(f"{name}-{number}.txt", text))

    def _put_chips(self, texts: tuple[Attachment, ...], tables: tuple[Attachment, ...]) -> None:
        self._chips.put(texts, tables)
        self.post_message(self.Changed(self.draft))

    def _draw_cost(self) -> None:
        room = self.area.size.width - 2
        self.area.border_subtitle = "" if self._cost is None else foretold(self._cost, room)
