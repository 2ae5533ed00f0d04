"""What filters made of attached text, as it is sent."""

from collections.abc import Callable, Sequence
from typing import TextIO

from ctxchat.domain.conversation import Section
from ctxchat.domain.events import Filtered, PromptBuilt, TurnEvent
from ctxchat.domain.prompt import Prompt


class FilteredInput:
    """The attached text on stdout as it is sent: what the rules made of it, or as it came where
    there was nothing for them to do.

    `alone` says that nothing follows it. `before_text` is called before it is written.
    """

    def __init__(
        self, out: TextIO, clean: Callable[[str], str], before_text: Callable[[], None], *, alone: bool
    ) -> None:
        self._out = out
        self._clean = clean
        self._before_text = before_text
        self._end = "\n" if alone else "\n\n"
        self._seen = False

    def show(self, event: TurnEvent) -> None:
        match event:
            case Filtered(_, texts):
                self._write(texts)
            case PromptBuilt(prompt) if not self._seen:
                self._write(_attached(prompt))
            case _:
                pass

    def _write(self, texts: Sequence[str]) -> None:
        self._seen = True
        if texts:
            self._before_text()
            self._out.write(self._clean("\n\n".join(text.rstrip("\n") for text in texts)) + self._end)
            self._out.flush()


def _attached(prompt: Prompt) -> list[str]:
    """The texts that came with the question at the end of a prompt."""
    questions = [piece.owner for piece in prompt.pieces if piece.section is Section.QUESTION]
    return [
        piece.text
        for piece in prompt.pieces
        if piece.section is Section.DATA and piece.owner == questions[-1]
    ]
