"""An answer as it comes: what is finished is Markdown, an open code block or table is plain text."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ctxchat.display.blocks import Blocks
from ctxchat.display.plain_text import clean


class AnswerView(Vertical):
    """Grows by the text that is added to it.

    Text is appended to the Markdown, so nothing that stands is drawn again. What an unfinished line or
    block could still turn into something else is kept out of it, and shown as it is.
    """

    def __init__(self, text: str = "") -> None:
        from textual.widgets import Markdown

        super().__init__(classes="answer")
        self._blocks = Blocks()
        self._text = clean(text)
        self._appended = len(self._text)
        self._finished = len(self._text)
        self._markdown = Markdown(self._text, open_links=False)
        self._open = Static("", classes="open")

    def compose(self) -> ComposeResult:
        yield self._markdown
        yield self._open

    @property
    def text(self) -> str:
        return self._text

    async def add(self, text: str) -> None:
        """Take more of the answer."""
        text = clean(text)
        self._text += text
        self._finished += sum(map(len, self._blocks.add(text)))
        await self._show(self._sure())

    async def finish(self) -> None:
        """Nothing more comes."""
        await self._show(len(self._text))

    async def _show(self, sure: int) -> None:
        if sure > self._appended:
            more, self._appended = self._text[self._appended : sure], sure
            await self._markdown.append(more)
        rest = self._text[self._appended :].strip("\n")
        self._open.update(Content(rest))
        self._open.display = bool(rest.strip())

    def _sure(self) -> int:
        """Up to where the text can be appended as Markdown."""
        begun = self._blocks.open
        if self._blocks.in_code or begun.lstrip().startswith("|"):
            return self._finished
        line = begun.rpartition("\n")[2]
        held = (
            len(line) if line.lstrip().startswith(("```", "~~~", "|")) or line.strip() in ("`", "``") else 0
        )
        return len(self._text) - held
