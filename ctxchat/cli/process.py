"""How the process begins, and how it ends."""

import os
import sys

from ctxchat.cli.failures import exit_code_of


def run() -> None:
    """Run the command line and leave with its exit code."""
    for name in ("stdout", "stderr"):
        _prepare_stream(name)
    sys.exit(exit_code_of(_chat_or_command))


def _chat_or_command() -> int:
    """The chat where nothing was said: what reads a command line takes a fifth of its first frame."""
    from ctxchat.cli.opening import bare, has_terminal, opened

    if _nothing_is_said() and has_terminal():
        return opened(bare())
    from ctxchat.cli.main import run_command

    return run_command()


def _nothing_is_said() -> bool:
    """Whether there is neither a word, nor input, nor a shell that asks how a word goes on."""
    return len(sys.argv) == 1 and "_CTXCHAT_COMPLETE" not in os.environ and os.isatty(0)


def _prepare_stream(name: str) -> None:
    """Write UTF-8 whatever the locale says; nowhere where the stream was closed."""
    if getattr(sys, name) is None:
        descriptor = os.open(os.devnull, os.O_WRONLY)
        setattr(sys, name, os.fdopen(descriptor, "w", encoding="utf-8"))
    getattr(sys, name).reconfigure(encoding="utf-8", errors="replace")
