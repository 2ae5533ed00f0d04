"""What could be meant by a word that is being typed, in a list above it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

MOST_SHOWN = 8
Location = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a word may become, and what that is. `finished` says that a space follows it."""

    text: str
    about: str = ""
    finished: bool = True


Completions = Callable[[str], Sequence[Choice]]
"""Choices for the beginning of a line up to the cursor; each takes the place of its last word."""


class Completion(OptionList, can_focus=False):
    """A list that is there only while it has something to say."""

    class Chosen(Message):
        """A choice was clicked."""

    def __init__(self, completions: Completions) -> None:
        super().__init__(classes="completion")
        self._completions = completions
        self._choices: Sequence[Choice] = ()
        self._word = ""
        self.display = False

    @property
    def open(self) -> bool:
        return bool(self._choices)

    @property
    def unfinished(self) -> bool:
        """Whether Enter would make more of the word than it is."""
        return self._choice.text != self._word

    @property
    def _choice(self) -> Choice:
        return self._choices[self.highlighted or 0]

    def complete(self, text: str, cursor: Location) -> None:
        """Show what the word before the cursor may become."""
        row, column = cursor
        line = (text.split("\n") or [""])[row][:column] if row < len(text.split("\n")) else ""
        self._word = line.rpartition(" ")[2]
        self._choices = self._completions(line)[:MOST_SHOWN] if row == 0 or "@" in line else ()
        self.clear_options()
        width = max((len(choice.text) for choice in self._choices), default=0)
        self.add_options(
            Option(Content.assemble((f"{choice.text:<{width}}", "bold"), "  ", (choice.about, "dim")))
            for choice in self._choices
        )
        self.highlighted = 0 if self._choices else None
        self.display = bool(self._choices)

    def close(self) -> None:
        self._choices = ()
        self.display = False

    def move(self, by: int) -> None:
        self.highlighted = ((self.highlighted or 0) + by) % len(self._choices)

    def accepted(self, text: str, cursor: Location) -> tuple[str, Location]:
        """The text with the choice in the place of the word, and where the cursor then is."""
        row, column = cursor
        lines = text.split("\n")
        word = self._choice.text + (" " if self._choice.finished else "")
        begin = column - len(self._word)
        lines[row] = lines[row][:begin] + word + lines[row][column:]
        return "\n".join(lines), (row, begin + len(word))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.highlighted = event.option_index
        self.post_message(self.Chosen())
