"""How the segments of a prompt are tokenized, whoever does the counting."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cached_property

SENTINEL = "\x01"
"""A character that no token joins with its neighbours."""

UNKNOWN, NORMAL, CONTROL, USER_DEFINED = 1 << 0, 1 << 2, 1 << 3, 1 << 4
"""Attributes of a token, with llama.cpp's numbers for them."""

SPACES_AFTER = UNKNOWN | CONTROL | USER_DEFINED

MARKUP = re.compile(r"[<\[].*[>\]]", re.DOTALL)
"""What a token that steers a model looks like where it is not declared as a control token."""


class SegmentVocabulary(ABC):
    """Text to ids and back, over what an implementation knows of its tokens; any thread may call it.

    Content never holds a control token: tokenizers leave declared ones alone when they are told to,
    but read user-defined ones always, and several models spell their turns with those.
    """

    exact = True

    def __init__(self, fingerprint: str, size: int) -> None:
        self.fingerprint = fingerprint
        self.size = size
        self._pieces: dict[int, bytes] = {}
        self._harmless: set[int] = set()

    @property
    @abstractmethod
    def begin(self) -> tuple[int, ...]:
        """The beginning-of-text token where prompts must begin with it."""

    @abstractmethod
    def encode(self, text: str, *, special: bool) -> tuple[int, ...]:
        """Ids of a text as the tokenizer gives them; lone surrogates become `?`."""

    @abstractmethod
    def attributes(self, token: int) -> int:
        """What kind of token it is, 0 where there is none."""

    @abstractmethod
    def ends_turn(self, token: int) -> bool:
        """Whether the model says by this token that it has finished."""

    @abstractmethod
    def read_piece(self, token: int) -> bytes:
        """The bytes of a token, none where there is no such token."""

    def tokenize(self, text: str, *, special: bool, after: int | None) -> tuple[int, ...]:
        """Ids of a segment that follows the id `after`; lone surrogates become `?`."""
        if not text:
            return ()
        spaced = after is None or bool(self.attributes(after) & SPACES_AFTER)
        ids = self._segment(text, special=special, spaced=spaced)
        if special or not self._steering(ids):
            return ids
        return self._defused(text, ids, spaced=spaced)

    def text(self, ids: Iterable[int]) -> str:
        return b"".join(map(self.piece, ids)).decode("utf-8", "replace")

    def piece(self, token: int) -> bytes:
        """The bytes of a token, which may be a part of a character."""
        piece = self._pieces.get(token)
        if piece is None:
            piece = self._pieces[token] = self.read_piece(token)
        return piece

    def holds(self, token: int) -> bool:
        return 0 <= token < self.size

    @cached_property
    def _sentinel(self) -> tuple[int, ...]:
        return self.encode(SENTINEL, special=False)

    @cached_property
    def _adds_space(self) -> bool:
        """Whether a space is put before a text at the beginning, and behind a control token."""
        return self.text(self._sentinel).startswith(" ")

    def _segment(self, text: str, *, special: bool, spaced: bool) -> tuple[int, ...]:
        """Where a space would be added and must not, a sentinel takes it, and is cut off again."""
        if spaced or not self._adds_space:
            return self.encode(text, special=special)
        ids = self.encode(SENTINEL + text, special=special)
        cut = len(self._sentinel)
        return ids[cut:] if ids[:cut] == self._sentinel else self.encode(text, special=special)

    def _defused(self, text: str, ids: tuple[int, ...], *, spaced: bool) -> tuple[int, ...]:
        """Ids of content that spells control tokens: each is cut in two and stays text.

        What one pass leaves (a token that only its neighbours' letters make) is cut at every
        letter in the last.
        """
        spelled = {self.text((token,)) for token in self._steering(ids)}
        anywhere = "|".join(f"(?={re.escape(token)})" for token in sorted(spelled) if len(token) > 1)
        cuts = [match.start() + 1 for match in re.finditer(anywhere, text)] if anywhere else []
        for places in (cuts, range(1, len(text))):
            ids = self._in_pieces(text, places, spaced=spaced)
            if not self._steering(ids):
                break
        return tuple(token for token in ids if token not in self._steering(ids))

    def _in_pieces(self, text: str, cuts: Iterable[int], *, spaced: bool) -> tuple[int, ...]:
        ids: tuple[int, ...] = ()
        begin = 0
        for end in (*cuts, len(text)):
            ids += self._segment(text[begin:end], special=False, spaced=spaced and begin == 0)
            begin = end
        return ids

    def _steering(self, ids: tuple[int, ...]) -> set[int]:
        """Those of the ids that are control tokens, or look like it."""
        unseen = set(ids) - self._harmless
        steering = {token for token in unseen if self._steers(token)}
        self._harmless |= unseen - steering
        return steering

    def _steers(self, token: int) -> bool:
        attributes = self.attributes(token)
        if attributes & CONTROL or self.ends_turn(token):
            return True
        return bool(attributes & USER_DEFINED and MARKUP.fullmatch(self.text((token,))))
