"""A real terminal: a shell in a tmux server of its own, driven by keys and read as a person reads it."""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PROMPT = "ready$ "
_STATE = "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{keypad_cursor_flag}"


class TerminalError(AssertionError):
    """What was waited for did not come; the screen as it stood is part of the message."""


class Terminal:
    """A shell at its prompt. Leave it by `close`, which ends the server and all that runs in it."""

    def __init__(self, folder: Path, environment: dict[str, str], size: tuple[int, int] = (120, 40)) -> None:
        # The path of a socket must be short.
        self._sockets = tempfile.TemporaryDirectory()
        self._server = ["tmux", "-f", os.devnull, "-S", f"{self._sockets.name}/tmux"]
        columns, rows = map(str, size)
        shell = ["env", f"PS1={PROMPT}", "bash", "--norc", "--noprofile"]
        outside = {name: value for name, value in environment.items() if name not in ("TMUX", "TMUX_PANE")}
        subprocess.run(
            [*self._server, "new-session", "-d", "-x", columns, "-y", rows, "-c", str(folder), *shell],
            check=True,
            env={**outside, "TERM": "xterm-256color", "LANG": "C.UTF-8"},
        )
        self._tmux("set-option", "-g", "window-size", "manual")
        self.until(lambda screen: screen.startswith(PROMPT.strip()), "the shell", 10)

    def close(self) -> None:
        subprocess.run([*self._server, "kill-server"], check=False, capture_output=True)
        self._sockets.cleanup()

    def keys(self, *names: str) -> None:
        """Press keys by the names tmux gives them."""
        self._tmux("send-keys", *names)

    def write(self, text: str) -> None:
        """Press the keys of a text, one by one."""
        self._tmux("send-keys", "-l", text)

    def line(self, text: str) -> None:
        self.write(text)
        self.keys("Enter")

    def paste(self, text: str) -> None:
        """Paste as a terminal does: in brackets, where the application asked for them."""
        subprocess.run([*self._server, "load-buffer", "-"], input=text.encode(), check=True)
        self._tmux("paste-buffer", "-p")

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self, *, coloured: bool = False) -> str:
        """What stands on the screen; coloured with its escape sequences."""
        return self._tmux("capture-pane", "-p", *(["-e"] if coloured else []))

    def modes(self) -> str:
        """How the terminal is set: its flags at the tty, and what applications switch on."""
        tty = self._tmux("display-message", "-p", "#{pane_tty}").strip()
        flags = subprocess.run(["stty", "-a", "-F", tty], check=True, capture_output=True, text=True).stdout
        without_size = re.sub(r"rows \d+; columns \d+;", "", flags)
        return self._tmux("display-message", "-p", _STATE) + without_size

    def until(self, holds: Callable[[str], object], what: str, seconds: float = 60) -> str:
        """Wait until the screen is as it is wanted, and return it. Raises TerminalError after so long."""
        end = time.monotonic() + seconds
        while True:
            screen = self.screen()
            if holds(screen):
                return screen
            if time.monotonic() > end:
                raise TerminalError(f"{what} did not come in {seconds:.0f} s:\n{screen}")
            time.sleep(0.05)

    def until_left(self, seconds: float = 10) -> None:
        """Wait until the shell asks for a command again."""
        self.until(lambda screen: screen.rstrip().endswith(PROMPT.strip()), "the shell's prompt", seconds)

    def _tmux(self, *words: str) -> str:
        done = subprocess.run([*self._server, *words], check=True, capture_output=True)
        return done.stdout.decode()
