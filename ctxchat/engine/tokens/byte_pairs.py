"""A model file's byte pairs, run by tiktoken; its own tables are never downloaded."""

import re
from collections.abc import Iterable, Mapping

from ctxchat.engine.gguf.cursor import Texts
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.tokens.patterns import word_rule

LONGEST_SPACE = 100_000
"""White space in a row beyond which tiktoken is not asked: it ends in a panic at ten times that."""

_TOO_MUCH_SPACE = re.compile(rf"\s{{{LONGEST_SPACE}}}")


def _letters() -> str:
    """The 256 letters that stand for bytes in a byte-pair vocabulary, in the order of the bytes."""
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return "".join(chr(byte if byte in plain else next(others)) for byte in range(256))


LETTERS = _letters()
_TO_BYTES = dict.fromkeys(range(0x100), 0xFFFF) | {ord(letter): byte for byte, letter in enumerate(LETTERS)}
"""Letters to the characters of Latin-1 that have the number of their byte, and others to none."""


def token_texts(header: GgufHeader) -> list[bytes]:
    """The texts of all tokens as llama.cpp reads them: up to a NUL, and named where there is none."""
    texts = _raw(header, "tokenizer.ggml.tokens")
    return [text.split(b"\0", 1)[0] or b"[EMPTY_%d]" % token for token, text in enumerate(texts)]


def piece_bytes(text: bytes) -> bytes | None:
    """The bytes an ordinary token stands for, None where a letter of it stands for none."""
    try:
        return text.decode().translate(_TO_BYTES).encode("latin-1")
    except UnicodeError:
        return None


class BytePairs:
    """Text that holds no special token to ids. Raises UncountableVocabularyError."""

    def __init__(self, header: GgufHeader, texts: Iterable[bytes]) -> None:
        from tiktoken import Encoding

        rule = word_rule(header)
        known = {text: token for token, text in enumerate(texts)}
        ranks = {bytes((byte,)): byte for byte in range(256)}
        ids = [_ids_of(letter.encode(), known) for letter in LETTERS]
        for merged in _merged(header):
            piece = piece_bytes(merged)
            if piece is not None and piece not in ranks:
                ranks[piece] = len(ids)
                ids.append(_ids_of(merged, known))
        self._ids = ids
        self._encoding = Encoding("gguf", pat_str=rule.expression, mergeable_ranks=ranks, special_tokens={})

    def takes(self, text: str) -> bool:
        """Whether a text can be encoded here."""
        return not _TOO_MUCH_SPACE.search(text)

    def encode(self, text: str) -> list[int]:
        ids = self._ids
        return [token for rank in self._encoding.encode_ordinary(text) for token in ids[rank]]


def _merged(header: GgufHeader) -> Iterable[bytes]:
    """What the pairs become, first the pairs that are merged first."""
    for pair in _raw(header, "tokenizer.ggml.merges"):
        space = pair.find(b" ", 1)
        if space > 0:
            yield pair[:space] + pair[space + 1 :]


def _ids_of(text: bytes, known: Mapping[bytes, int]) -> tuple[int, ...]:
    """The token of a merged text; where the vocabulary has none, those of its single letters, and
    no token for letters it lacks."""
    if text in known:
        return (known[text],)
    return tuple(known[bytes((byte,))] for byte in text if byte < 0x80 and bytes((byte,)) in known)


def _raw(header: GgufHeader, key: str) -> Iterable[bytes]:
    value = header.metadata[key]
    if isinstance(value, Texts):
        return value.raw()
    assert isinstance(value, tuple)
    return (str(text).encode() for text in value)
