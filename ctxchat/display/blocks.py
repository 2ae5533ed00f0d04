"""Markdown that is still being written, as blocks: those that are finished, and the open one."""

import re

_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
_CONTINUES = re.compile(r"^(\s|[-*+] |\d{1,9}[.)] |>)")


class Blocks:
    """Takes text in any pieces and gives blocks back once nothing can change them.

    A block ends at a blank line that is followed by a line which begins something else: an
    indented line, a list item or a quotation may belong to what came before.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._rest = ""
        self._fence = ""
        self._blank = False

    @property
    def open(self) -> str:
        """The text of the block that is not finished."""
        return "".join(self._lines) + self._rest

    @property
    def in_code(self) -> bool:
        """Whether the open block ends inside a code block."""
        return bool(self._fence)

    def add(self, text: str) -> list[str]:
        """Take more text; returns the blocks that are finished by it."""
        *lines, self._rest = (self._rest + text).split("\n")
        finished = (self._take(f"{line}\n") for line in lines)
        return [block for block in finished if block]

    def finish(self) -> str:
        """The last block, as it stands."""
        block, self._lines, self._rest = self.open, [], ""
        return block

    def _take(self, line: str) -> str:
        """Take one line; returns the block it closes, or nothing."""
        finished = ""
        if not self._fence and self._lines:
            starts_anew = self._blank and line.strip() and not _CONTINUES.match(line)
            opens_code = _FENCE.match(line) and not line.startswith(" ")
            if starts_anew or opens_code:
                finished, self._lines = "".join(self._lines), []
        self._lines.append(line)
        was_code = self._fence
        self._follow_fence(line)
        self._blank = not line.strip()
        if was_code and not self._fence and not line.startswith(" "):
            finished, self._lines = "".join(self._lines), []
        return finished

    def _follow_fence(self, line: str) -> None:
        found = _FENCE.match(line)
        if not found:
            return
        if not self._fence:
            self._fence = found[1]
        elif found[1].startswith(self._fence) and not line.strip().strip(self._fence[0]):
            self._fence = ""
