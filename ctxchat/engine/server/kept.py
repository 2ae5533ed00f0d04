"""What was found out about a server, kept in the cache folder: a small file for each url and model."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ctxchat.domain.errors import StoreError
from ctxchat.engine.server.probing import Kind, Probed
from ctxchat.locations import private_folder

FORMAT = 1

MOST = 400
"""Answers of a server that are kept beside what it is."""


class KeptAnswers:
    """The probe, under the signature it was made for, and short answers the server gave beside it, by what
    was asked. All of it is forgotten where the signature is another."""

    def __init__(self, folder: Path, url: str, model: str, signature: Mapping[str, object]) -> None:
        digest = blake2b(f"{url}\n{model}".encode("utf-8", "replace"), digest_size=12).hexdigest()
        self._path = folder / f"{digest}.json"
        self._signature = json.loads(json.dumps(signature))
        self.probed: Probed | None = None
        self._answers: dict[str, Any] = {}
        self._read()

    def keep(self, probed: Probed) -> None:
        self.probed = probed
        self._write()

    def answer(self, question: str) -> Any:
        """None where it was never asked."""
        return self._answers.get(question)

    def keep_answer(self, question: str, answer: Any) -> None:
        if len(self._answers) < MOST:
            self._answers[question] = answer
            self._write()

    def _read(self) -> None:
        with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
            kept = json.loads(self._path.read_bytes())
            if kept["format"] == FORMAT and kept["signature"] == self._signature:
                probed = kept["probed"]
                self.probed = Probed(**probed | {"kind": Kind(probed["kind"])})
                self._answers = dict(kept["answers"])

    def _write(self) -> None:
        """A folder that cannot be written is no failure: it is asked again the next time."""
        if self.probed is None:
            return
        kept = {
            "format": FORMAT,
            "signature": self._signature,
            "probed": asdict(self.probed),
            "answers": self._answers,
        }
        with suppress(OSError, StoreError):
            private_folder(self._path.parent)
            temporary = self._path.with_suffix(f".{os.getpid()}")
            temporary.touch(mode=0o600)
            temporary.write_text(json.dumps(kept), encoding="ascii")
            temporary.replace(self._path)
