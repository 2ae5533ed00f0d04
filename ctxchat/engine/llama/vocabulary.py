"""The vocabulary of a loaded model, by llama.cpp's own tokenizer."""

import ctypes

from ctxchat.engine.llama.bindings import library
from ctxchat.engine.llama.weights import LlamaWeights
from ctxchat.engine.tokens.segments import SegmentVocabulary


class LlamaVocabulary(SegmentVocabulary):
    """Text to ids and back; reads the model only, so any thread may call it."""

    def __init__(self, weights: LlamaWeights, fingerprint: str) -> None:
        self._library = library()
        self._weights = weights
        self._pointer = self._library.llama_model_get_vocab(weights.pointer)
        super().__init__(fingerprint, self._library.llama_vocab_n_tokens(self._pointer))

    @property
    def begin(self) -> tuple[int, ...]:
        if not self._library.llama_vocab_get_add_bos(self._pointer):
            return ()
        bos: int = self._library.llama_vocab_bos(self._pointer)
        return (bos,) if bos >= 0 else ()

    def ends_turn(self, token: int) -> bool:
        return bool(self._library.llama_vocab_is_eog(self._pointer, token))

    def attributes(self, token: int) -> int:
        return int(self._library.llama_vocab_get_attr(self._pointer, token)) if self.holds(token) else 0

    def around(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The control tokens that the model was trained to see before and behind a text."""
        plain, whole = self._encode("a"), self._encode("a", around=True)
        for begin in range(len(whole) - len(plain) + 1):
            if plain and whole[begin : begin + len(plain)] == plain:
                return whole[:begin], whole[begin + len(plain) :]
        return (), ()

    def encode(self, text: str, *, special: bool) -> tuple[int, ...]:
        return self._encode(text, special=special)

    def _encode(self, text: str, *, special: bool = False, around: bool = False) -> tuple[int, ...]:
        encoded = text.encode("utf-8", "replace")
        room = len(encoded) + 16
        while True:
            ids = (ctypes.c_int32 * room)()
            count = self._library.llama_tokenize(
                self._pointer, encoded, len(encoded), ids, room, around, special
            )
            if count >= 0:
                return tuple(ids[:count])
            room = -count

    def read_piece(self, token: int) -> bytes:
        if not self.holds(token):
            return b""
        room = 32
        while True:
            piece = ctypes.create_string_buffer(room)
            length = self._library.llama_token_to_piece(self._pointer, token, piece, room, 0, True)
            if length >= 0:
                return piece.raw[:length]
            room = -length
