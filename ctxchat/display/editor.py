"""The person's own editor."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from ctxchat.domain.errors import UsageError


def edit_file(file: Path) -> None:
    """Open a file in $VISUAL or $EDITOR, and wait. Raises UsageError where that fails."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        ended = subprocess.run([*shlex.split(editor), str(file)], check=False)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the editor {editor!r} cannot be started: set $VISUAL or $EDITOR to another"
        ) from error
    if ended.returncode:
        raise UsageError(f"the editor {editor!r} failed with code {ended.returncode}")


def edited(text: str, name: str = "summary.md") -> str:
    """A text as the person leaves it, in a file of this name. Raises UsageError."""
    with tempfile.TemporaryDirectory(prefix="ctxchat-") as folder:
        file = Path(folder) / name
        try:
            file.write_text(text + "\n", encoding="utf-8", errors="replace")
            edit_file(file)
            return file.read_text("utf-8", errors="replace")
        except OSError as error:
            raise UsageError(f"{file} cannot be edited: {error.strerror}") from error
