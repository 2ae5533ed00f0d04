"""That a server could not be asked, remembered for a minute: a conversation does not wait at each turn.

It is kept in a file, since the turns of a conversation can be processes of their own.
"""

import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from ctxchat.domain.errors import StoreError
from ctxchat.locations import private_folder

SECONDS = 60.0


class Absence:
    """Of the server at a place; `folder` is one for what can be made again. Where it cannot be written
    nothing is remembered."""

    def __init__(self, folder: Path, place: str) -> None:
        self._path = folder / f"absent-{sha256(place.encode()).hexdigest()[:16]}"

    def line(self) -> str | None:
        """What happened, and for how long it is left alone; None once it is worth asking again."""
        with suppress(OSError, UnicodeDecodeError):
            ago = time.time() - self._path.stat().st_mtime
            if 0 <= ago < SECONDS:
                return (
                    f"{self._path.read_text()} (seen {ago:.0f} s ago, tried again in {SECONDS - ago:.0f} s)"
                )
        return None

    def begin(self, reason: str) -> None:
        with suppress(OSError, StoreError):
            private_folder(self._path.parent)
            self._path.write_text(reason)

    def end(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
