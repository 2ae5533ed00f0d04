"""The vocabulary of a model file without llama.cpp in the process."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ctxchat.domain.errors import UncountableVocabularyError
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.tokens.byte_pairs import BytePairs, piece_bytes, token_texts
from ctxchat.engine.tokens.segments import CONTROL, NORMAL, UNKNOWN, USER_DEFINED, SegmentVocabulary

BYTE, STRIPS_LEFT, STRIPS_RIGHT = 1 << 5, 1 << 7, 1 << 8

SPECIAL = UNKNOWN | CONTROL | USER_DEFINED
"""Tokens that are found in a text before anything else is."""

Open = Callable[[], SegmentVocabulary]


@dataclass(frozen=True, slots=True)
class TokenKinds:
    """What llama.cpp makes of the tokens of a file: it promotes some by their texts.

    `attributes` are those of tokens that are not just normal, `endings` end a turn, `begin` begins
    every prompt.
    """

    attributes: Mapping[int, int]
    endings: frozenset[int]
    begin: tuple[int, ...]


class TiktokenVocabulary(SegmentVocabulary):
    """Text to ids over the byte pairs of the file, the same ids as llama.cpp's.

    `open_reference` opens llama.cpp's own for the rare text that tiktoken fails at. Raises
    UncountableVocabularyError where the vocabulary is of another kind.
    """

    def __init__(self, header: GgufHeader, kinds: TokenKinds, open_reference: Open) -> None:
        refused = BYTE | STRIPS_LEFT | STRIPS_RIGHT
        if any(attributes & refused for attributes in kinds.attributes.values()):
            raise UncountableVocabularyError(f"{header.path}: its tokens are no plain byte pairs")
        self._texts = token_texts(header)
        self._kinds = kinds
        self._pairs = BytePairs(header, self._texts)
        self._special = self._longest_first()
        self._open_reference = open_reference
        self._reference: SegmentVocabulary | None = None
        super().__init__(header.vocabulary_fingerprint(), len(self._texts))

    @property
    def begin(self) -> tuple[int, ...]:
        return self._kinds.begin

    def attributes(self, token: int) -> int:
        return self._kinds.attributes.get(token, NORMAL) if self.holds(token) else 0

    def ends_turn(self, token: int) -> bool:
        return token in self._kinds.endings

    def encode(self, text: str, *, special: bool) -> tuple[int, ...]:
        text = text.encode("utf-8", "replace").decode()
        if not self._pairs.takes(text):
            return self._by_reference(text, special=special)
        ids: list[int] = []
        for part in self._parted(text, special=special):
            if isinstance(part, int):
                ids.append(part)
            else:
                ids += self._pairs.encode(part)
        return tuple(ids)

    def read_piece(self, token: int) -> bytes:
        attributes = self.attributes(token)
        if attributes & SPECIAL:
            return self._texts[token]
        return _shown(self._texts[token]) if attributes & NORMAL else b""

    def _parted(self, text: str, *, special: bool) -> list[str | int]:
        """The text, with ids where special tokens stood in it: the longest are found first."""
        parts: list[str | int] = [text]
        for spelling, token, attributes in self._special:
            if spelling in text and (special or attributes & SPECIAL == USER_DEFINED):
                parts = [piece for part in parts for piece in _split(part, spelling, token)]
        return parts

    def _longest_first(self) -> list[tuple[str, int, int]]:
        kinds = self._kinds.attributes.items()
        found = [
            (self._texts[token], token, attributes) for token, attributes in kinds if attributes & SPECIAL
        ]
        found.sort(key=lambda one: -len(one[0]))
        return [(text.decode("utf-8", "replace"), token, attributes) for text, token, attributes in found]

    def _by_reference(self, text: str, *, special: bool) -> tuple[int, ...]:
        if self._reference is None:
            self._reference = self._open_reference()
        return self._reference.encode(text, special=special)


def _shown(text: bytes) -> bytes:
    """An ordinary token's bytes; llama.cpp writes a letter that stands for no byte in a way of its own."""
    piece = piece_bytes(text)
    if piece is not None:
        return piece
    shown = b""
    for letter in text.decode("utf-8", "replace"):
        spelled = letter.encode()
        unknown = b"[UNK_BYTE_0x" + spelled.hex().encode() + text + b"]"
        byte = piece_bytes(spelled)
        shown += unknown if byte is None else byte
    return shown


def _split(part: str | int, spelling: str, token: int) -> list[str | int]:
    if isinstance(part, int):
        return [part]
    pieces: list[str | int] = []
    for number, piece in enumerate(part.split(spelling)):
        if number:
            pieces.append(token)
        if piece:
            pieces.append(piece)
    return pieces
