"""The two streams as far as they are terminals, and what they can show."""

import os
import shutil
import stat
import sys
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Screen:
    """`out` and `err`, and what each is. A terminal that calls itself dumb moves no cursor."""

    out: TextIO
    err: TextIO
    out_terminal: bool
    err_terminal: bool
    dumb: bool
    colour: bool
    out_file: bool

    @property
    def columns(self) -> int:
        return self._size().columns

    @property
    def rows(self) -> int:
        return self._size().lines

    @property
    def renders(self) -> bool:
        """Whether stdout shows rendered Markdown."""
        return self.out_terminal and not self.dumb

    @property
    def has_status(self) -> bool:
        """Whether stderr can hold a status line."""
        return self.err_terminal and not self.dumb

    def _size(self) -> os.terminal_size:
        """Of stdout's terminal, else of stderr's."""
        try:
            return shutil.get_terminal_size(fallback=os.get_terminal_size(self.err.fileno()))
        except OSError:
            return shutil.get_terminal_size()

    def dim(self, text: str) -> str:
        """Text for stderr, dim where it can be."""
        return f"\x1b[2m{text}\x1b[0m" if self.colour and self.err_terminal and text else text


def this_screen() -> Screen:
    dumb = os.environ.get("TERM", "dumb") in ("", "dumb", "unknown")
    return Screen(
        out=sys.stdout,
        err=sys.stderr,
        out_terminal=sys.stdout.isatty(),
        err_terminal=sys.stderr.isatty(),
        dumb=dumb,
        colour=not os.environ.get("NO_COLOR") and not dumb,
        out_file=_is_file(sys.stdout),
    )


def _is_file(stream: TextIO) -> bool:
    """Whether what is written goes to a file, and can not turn up on this terminal."""
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except OSError:
        return False
