"""How the program ends when something failed: one line on stderr, and an exit code."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress

from ctxchat.display.plain_text import clean
from ctxchat.domain.errors import CtxChatError, SettingsError

INTERNAL, INTERRUPTED, PIPE_CLOSED = 1, 130, 141


def exit_code_of(body: Callable[[], int]) -> int:
    """Run the program; whatever is raised becomes a line on stderr and an exit code.

    With CTXCHAT_DEBUG set, a failure that nobody expected keeps its traceback.
    """
    try:
        code = body()
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        code = PIPE_CLOSED
    except CtxChatError as error:
        say(error)
        code = error.exit_code
    except Exception as error:
        if os.environ.get("CTXCHAT_DEBUG"):
            raise
        say(_unexpected(error))
        code = INTERNAL
    if code == INTERRUPTED:
        _clear_the_line()
    if code:
        abandon_stdout()
    return code


def say(error: object) -> None:
    """Tell an error on stderr. Those of settings begin with their file and line."""
    text = clean(str(error))
    with suppress(OSError):
        print(text if isinstance(error, SettingsError) else f"ctxchat: {text}", file=sys.stderr)


def internal_error(error: Exception) -> str:
    """An error of the program's own, with the way to see where it happened."""
    what = " ".join(str(error).split())
    return f"internal error: {type(error).__name__}: {what} (CTXCHAT_DEBUG=1 shows where)"


def _unexpected(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is None:
        return f"cannot write the output: {error.strerror}"
    return internal_error(error)


def _clear_the_line() -> None:
    """Take back what the terminal echoed for Ctrl-C."""
    if sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        print(end="\r\x1b[K", file=sys.stderr, flush=True)


def abandon_stdout() -> None:
    """Write what is still buffered if anybody reads, and send it nowhere else, so that flushing it
    again at exit cannot fail."""
    with suppress(OSError):
        sys.stdout.flush()
    with suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
