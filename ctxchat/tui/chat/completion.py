"""What could be meant by a word that is being typed, in a list above it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class Matches:
    """What the `word` at the end of a line may become."""

    word: str = ""
    choices: Sequence[Choice] = field(default_factory=tuple)


NOTHING = Matches()
Completions = Callable[[str, bool], Matches]
"""Choices for the beginning of a line up to the cursor; the second says whether it is the first line."""


class Completion(OptionList, can_focus=False):
    """A list that is there only while it has something to say."""

    class Chosen(Message):
        """A choice was clicked."""

    def __init__(self, completions: Completions) -> None:
        super().__init__(classes="completion")
        self._completions = completions
        self._matches = NOTHING
        self.display = False

    @property
    def open(self) -> bool:
        return bool(self._matches.choices)

    @property
    def unfinished(self) -> bool:
        """Whether Enter would make more of the word than it is."""
        return self._choice.text != self._matches.word

    @property
    def _choice(self) -> Choice:
        return self._matches.choices[self.highlighted or 0]

    def complete(self, line: str, *, first: bool) -> None:
        """Show what the word at the end of a line may become; the `first` line may be a command."""
        found = self._completions(line, first)
        if not found.choices and not self.open:
            return
        self._matches = Matches(found.word, found.choices[:MOST_SHOWN])
        choices = self._matches.choices
        self.clear_options()
        width = max((len(choice.text) for choice in choices), default=0)
        self.add_options(
            Option(Content.assemble((f"{choice.text:<{width}}", "bold"), "  ", (choice.about, "dim")))
            for choice in choices
        )
        self.highlighted = 0 if choices else None
        self.display = bool(choices)

    def close(self) -> None:
        self._matches = NOTHING
        self.display = False

    def move(self, by: int) -> None:
        self.highlighted = ((self.highlighted or 0) + by) % len(self._matches.choices)

    def accepted(self, text: str, cursor: Location) -> tuple[str, Location]:
        """The text with the choice in the place of the word, and where the cursor then is."""
        row, column = cursor
        lines = text.split("\n")
        word = self._choice.text + (" " if self._choice.finished else "")
        begin = column - len(self._matches.word)
        lines[row] = lines[row][:begin] + word + lines[row][column:]
        return "\n".join(lines), (row, begin + len(word))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.highlighted = event.option_index
        self.post_message(self.Chosen())
