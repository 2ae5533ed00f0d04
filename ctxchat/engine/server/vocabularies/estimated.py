"""Counts where the vocabulary is not known: by an encoding that lies on the disk, or by a rule."""

import re
from collections.abc import Callable, Iterable
from hashlib import sha1, sha256
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from tiktoken import Encoding

_TABLES = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}
"""Encodings whose tables may lie in tiktoken's cache, with their checksums."""

_PLACE = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"

_MARK = re.compile(r"(<\|[^|<>]{1,40}\|>)")
"""What the estimated chat template writes as one token."""

_PIECE = re.compile(r" ?[A-Za-z]{1,7}|\d{1,3}|[^\W\d_A-Za-z]{1,2}| ?[^\w\s]{1,3}|\s{1,8}|_|.", re.DOTALL)
"""About what tokenizers of a hundred thousand tokens make of English: four letters a token."""


class EstimatedVocabulary:
    """Ids that say nothing to a model, but are the same for the same text; see `domain.ports.Vocabulary`."""

    exact = False
    begin: tuple[int, ...] = ()

    def __init__(self, name: str, split: Callable[[str], Iterable[str]]) -> None:
        self.fingerprint = f"estimate {name}"
        self._split = split
        self._texts: dict[int, str] = {}

    def tokenize(self, text: str, *, special: bool, after: int | None) -> tuple[int, ...]:  # noqa: ARG002 - of the port
        parts = _MARK.split(text) if special else [text]
        pieces: list[str] = []
        for place, part in enumerate(parts):
            pieces += [part] if place % 2 else self._split(part)
        ids = tuple(crc32(piece.encode("utf-8", "surrogatepass")) & 0x7FFFFFFF for piece in pieces)
        self._texts.update(zip(ids, pieces, strict=True))
        return ids

    def text(self, ids: Iterable[int]) -> str:
        """Of what this process has seen; the rest is not known."""
        return "".join(self._texts.get(token, "�") for token in ids)


def estimated_vocabulary(model: str) -> EstimatedVocabulary:
    """By the encoding of a model, where its table is on this disk; by a rule else."""
    encoding = _encoding_on_disk(model)
    if encoding is None:
        return EstimatedVocabulary("by a rule", _PIECE.findall)

    def split(text: str) -> list[str]:
        whole = text.encode("utf-8", "replace").decode()
        return [encoding.decode([token]) for token in encoding.encode_ordinary(whole)]

    return EstimatedVocabulary(encoding.name, split)


def _encoding_on_disk(model: str) -> "Encoding | None":
    """Nothing is fetched: tiktoken finds its table, and the checksum it asks for, or it is not asked."""
    import tiktoken
    from tiktoken.model import encoding_name_for_model

    try:
        name = encoding_name_for_model(model.rpartition("/")[2])
    except KeyError:
        return None
    checksum = _TABLES.get(name)
    if checksum is None or not _is_on_disk(name, checksum):
        return None
    return tiktoken.get_encoding(name)


def _is_on_disk(name: str, checksum: str) -> bool:
    folder = tiktoken_folder()
    if folder is None:
        return False
    path = folder / sha1(_PLACE.format(name).encode(), usedforsecurity=False).hexdigest()
    try:
        return sha256(path.read_bytes()).hexdigest() == checksum
    except OSError:
        return False


def tiktoken_folder() -> Path | None:
    """Where tiktoken keeps what it has fetched, None where it keeps nothing."""
    import os
    import tempfile

    for name in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        if name in os.environ:
            return Path(os.environ[name]) if os.environ[name] else None
    return Path(tempfile.gettempdir(), "data-gym-cache")
