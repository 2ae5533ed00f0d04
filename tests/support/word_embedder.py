"""An embedder that a test can predict: each word points one way."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import sqrt

from ctxchat.domain.words import content_words


@dataclass(frozen=True)
class WordEmbedder:
    """Texts that share more of their words are nearer."""

    space: str = "words"
    dimensions: int = 64

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> bytes:
        values = [0.0] * self.dimensions
        for word in content_words(text):
            values[
                int.from_bytes(sha256(f"{self.space} {word}".encode()).digest()[:4]) % self.dimensions
            ] += 1
        length = sqrt(sum(value * value for value in values)) or 1.0
        return struct.pack(f"<{self.dimensions}e", *(value / length for value in values))
