"""One turn in the transcript: the question, what was reasoned, the answer, and its receipt."""

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message as Posted
from textual.widget import Widget
from textual.widgets import Collapsible, Static

from ctxchat.display.plain_text import clean
from ctxchat.domain.conversation import Finish
from ctxchat.tui.chat.answer_view import AnswerView


@dataclass
class ShownTurn:
    """A turn as it is shown. Ids are those of the record, None until it is written there. `folded` says
    what was folded up to it, where that ends there."""

    question: str
    attached: tuple[str, ...] = ()
    answer: str = ""
    reasoning: str = ""
    reasoning_tokens: int | None = None
    finish: Finish | None = None
    question_id: str | None = None
    answer_id: str | None = None
    about: str = ""
    folded: str = ""

    @property
    def cut(self) -> bool:
        """Whether there is more to come of the answer, if the model is asked to go on."""
        return bool(self.answer) and self.finish in (Finish.LENGTH, Finish.CANCELLED)


class TurnView(Vertical, can_focus=True):
    """A turn that can take the focus; its keys are posted as `Wanted`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("r", "want('again')", "Again"),
        Binding("o", "want('go_on')", "Go on"),
        Binding("e", "want('edit')", "Edit"),
        Binding("y", "want('copy')", "Copy"),
        Binding("c", "want('copy_code')", "Code"),
        Binding("f", "want('fork')", "Fork"),
        Binding("p", "want('pin_turn')", "Pin"),
        Binding("d", "want('delete')", "Delete"),
        Binding("u", "want('undo')", "Undo"),
        Binding("l", "want('context')", "Ledger"),
        Binding("t", "toggle_reasoning", "Reasoning", show=False),
        Binding("escape,i,enter", "leave", "Write"),
    ]

    class Wanted(Posted):
        """A key on a turn: what is wanted of it, by name."""

        def __init__(self, turn: "TurnView", name: str) -> None:
            super().__init__()
            self.turn = turn
            self.name = name

    class Moved(Posted):
        """Go so many places down from a turn or a line, or leave them where it is 0."""

        def __init__(self, turn: Widget, by: int) -> None:
            super().__init__()
            self.turn = turn
            self.by = by

    def __init__(self, shown: ShownTurn) -> None:
        super().__init__(classes="turn")
        self.shown = shown
        self.answer = AnswerView(shown.answer)
        self._question = Static(_question(shown), classes="question")
        self._reasoned = Static(Content(clean(shown.reasoning)), classes="reasoned")
        self._reasoning = Collapsible(
            self._reasoned, title=_title(shown.reasoning_tokens), classes="reasoning"
        )
        self._reasoning.display = bool(shown.reasoning)
        self._receipt = Static(Content(shown.about), classes="receipt")
        self._receipt.display = bool(shown.about)

    def compose(self) -> ComposeResult:
        yield self._question
        yield self._reasoning
        yield self.answer
        yield self._receipt

    def on_mount(self) -> None:
        self.answer.display = bool(self.shown.answer)

    async def add_answer(self, text: str) -> None:
        """Take more of the answer."""
        self.answer.display = True
        self.shown.answer += text
        await self.answer.add(text)

    def add_reasoning(self, text: str, tokens: int) -> None:
        """Take more of what is reasoned, `tokens` pieces of it."""
        self.shown.reasoning += text
        self._reasoning.display = True
        self.count_reasoning((self.shown.reasoning_tokens or 0) + tokens)
        if not self._reasoning.collapsed:
            self._reasoned.update(Content(clean(self.shown.reasoning)))

    def count_reasoning(self, tokens: int | None) -> None:
        """Say how many tokens were reasoned."""
        self.shown.reasoning_tokens = tokens
        self._reasoning.title = _title(tokens)

    async def finish(self, about: str, finish: Finish | None) -> None:
        """The turn is over; `about` stands under it."""
        self.shown.finish, self.shown.about = finish, about
        await self.answer.finish()
        self._reasoned.update(Content(clean(self.shown.reasoning)))
        self.say(about)

    def say(self, about: str) -> None:
        """Write the line under the turn."""
        self._receipt.update(Content(clean(about)))
        self._receipt.display = bool(about)

    def on_collapsible_expanded(self) -> None:
        self._reasoned.update(Content(clean(self.shown.reasoning)))

    def action_want(self, name: str) -> None:
        self.post_message(self.Wanted(self, name))

    def action_move(self, by: int) -> None:
        self.post_message(self.Moved(self, by))

    def action_leave(self) -> None:
        self.post_message(self.Moved(self, 0))

    def action_toggle_reasoning(self) -> None:
        self._reasoning.collapsed = not self._reasoning.collapsed


def _question(shown: ShownTurn) -> Content:
    question = Content(clean(shown.question))
    if not shown.attached:
        return question
    chips = "  ".join(f"▤ {clean(label)}" for label in shown.attached)
    return Content.assemble((chips, "dim"), "\n", question)


def _title(tokens: int | None) -> str:
    return "reasoning" if tokens is None else f"reasoning · {tokens:,} tokens"
