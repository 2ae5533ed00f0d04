"""A vocabulary that only the server has: a request for each segment, which is asked once."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Any, Protocol, TypeVar

from ctxchat.domain.errors import EngineError
from ctxchat.engine.server.connection import Connection
from ctxchat.engine.server.refusals import Refusal, told
from ctxchat.engine.tokens.segments import CONTROL, MARKUP, NORMAL, SegmentVocabulary

REMEMBERED = 1024
"""Segments whose ids are remembered: a prompt has some tens, and the texts of filters come again."""

ANY_SIZE = 1 << 31

Pieces = Sequence[str | bytes]
Answered = TypeVar("Answered")


class Tokens(Protocol):
    """How one kind of server tells tokens. Raises Refusal."""

    def encode(self, text: str, *, special: bool) -> tuple[tuple[int, ...], Pieces]:
        """Ids, and what each of them is spelled as."""

    def decode(self, ids: Sequence[int]) -> str: ...

    def begin(self) -> tuple[int, ...]:
        """What it puts before every text."""


class ServedVocabulary(SegmentVocabulary):
    """Text to ids by the server. A token that looks like markup is taken for a control token: a message that
    spells one is sent in pieces, so that it stays text. Raises EngineError where the server says nothing."""

    def __init__(self, tokens: Tokens, fingerprint: str, begin: tuple[int, ...], shown: str) -> None:
        self._tokens, self._shown = tokens, shown
        self._spelled: dict[int, str | bytes] = {}
        self._ask = lru_cache(maxsize=REMEMBERED)(self._asked)
        self._begin = begin
        super().__init__(fingerprint, ANY_SIZE)

    @property
    def begin(self) -> tuple[int, ...]:
        return self._begin

    def encode(self, text: str, *, special: bool) -> tuple[int, ...]:
        return self._ask(text.encode("utf-8", "replace").decode(), special)

    def attributes(self, token: int) -> int:
        return CONTROL if is_markup(self._spelled.get(token, "")) else NORMAL

    def ends_turn(self, token: int) -> bool:  # noqa: ARG002 - of the port
        """The server knows, and ends the answer there."""
        return False

    def read_piece(self, token: int) -> bytes:
        piece = self._spelled.get(token)
        return piece if isinstance(piece, bytes) else self._decoded((token,)).encode("utf-8", "replace")

    def text(self, ids: Iterable[int]) -> str:
        every = tuple(ids)
        if not every:
            return ""
        pieces = [self._spelled.get(token) for token in every]
        if all(isinstance(piece, bytes) for piece in pieces):
            return b"".join(piece for piece in pieces if isinstance(piece, bytes)).decode("utf-8", "replace")
        return self._decoded(every)

    @cached_property
    def _adds_space(self) -> bool:
        first = self._spelled.get(self._sentinel[0], "") if self._sentinel else ""
        text = first.decode("utf-8", "replace") if isinstance(first, bytes) else first
        return text.startswith((" ", "▁"))

    def _asked(self, text: str, special: bool) -> tuple[int, ...]:
        if not text:
            return ()
        ids, pieces = self._told(lambda: spelled(self._tokens, text, special=special))
        self._spelled.update(zip(ids, pieces, strict=True))
        return ids

    def _decoded(self, ids: Sequence[int]) -> str:
        return self._told(lambda: self._tokens.decode(ids))

    def _told(self, ask: Callable[[], Answered]) -> Answered:
        try:
            return ask()
        except Refusal as refusal:
            raise EngineError(told(refusal, self._shown, None)) from None


def spelled(tokens: Tokens, text: str, *, special: bool) -> tuple[tuple[int, ...], Pieces]:
    """Ids with their spellings, by which control tokens are seen. Raises Refusal where there are none."""
    ids, pieces = tokens.encode(text, special=special)
    if len(pieces) != len(ids):
        raise Refusal(
            200, "it does not spell its tokens: a newer vLLM does, or set the vocabulary of [server]"
        )
    return ids, pieces


def is_markup(piece: str | bytes) -> bool:
    """Whether a token is spelled as those are that steer a model. Brackets alone are ordinary."""
    text = piece.decode("utf-8", "replace") if isinstance(piece, bytes) else piece
    return bool(MARKUP.fullmatch(text)) and any(letter.isalnum() for letter in text)


class LlamaServerTokens:
    """llama-server's tokens: it leaves control tokens alone where it is told to, and gives their bytes."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._root = connection, connection.address.root

    def encode(self, text: str, *, special: bool) -> tuple[tuple[int, ...], Pieces]:
        asked = {"content": text, "add_special": False, "parse_special": special, "with_pieces": True}
        tokens = _list(self._connection.post(f"{self._root}/tokenize", asked), "tokens")
        return tuple(int(one["id"]) for one in tokens), [_bytes(one["piece"]) for one in tokens]

    def decode(self, ids: Sequence[int]) -> str:
        return str(self._connection.post(f"{self._root}/detokenize", {"tokens": list(ids)})["content"])

    def begin(self) -> tuple[int, ...]:
        whole, plain = (
            tuple(
                _list(
                    self._connection.post(f"{self._root}/tokenize", {"content": "a", "add_special": add}),
                    "tokens",
                )
            )
            for add in (True, False)
        )
        return _before(whole, plain)


class VllmTokens:
    """vLLM's tokens: control tokens are always read as such."""

    def __init__(self, connection: Connection, model: str) -> None:
        self._connection, self._root, self._model = connection, connection.address.root, model

    def encode(self, text: str, *, special: bool) -> tuple[tuple[int, ...], Pieces]:  # noqa: ARG002 - of the port
        return self._encoded(text, around=False)

    def decode(self, ids: Sequence[int]) -> str:
        asked = {"model": self._model, "tokens": list(ids)}
        return str(self._connection.post(f"{self._root}/detokenize", asked)["prompt"])

    def begin(self) -> tuple[int, ...]:
        return _before(self._encoded("a", around=True)[0], self._encoded("a", around=False)[0])

    def _encoded(self, text: str, *, around: bool) -> tuple[tuple[int, ...], Pieces]:
        asked = {
            "model": self._model,
            "prompt": text,
            "add_special_tokens": around,
            "return_token_strs": True,
        }
        found = self._connection.post(f"{self._root}/tokenize", asked)
        return tuple(map(int, _list(found, "tokens"))), found.get("token_strs") or ()


def _list(found: Any, name: str) -> list[Any]:
    value = found.get(name) if isinstance(found, dict) else None
    if not isinstance(value, list):
        raise Refusal(200, f"no {name} came")
    return value


def _before(whole: tuple[int, ...], plain: tuple[int, ...]) -> tuple[int, ...]:
    """What a text has before it, of the whole and the text alone."""
    for begin in range(len(whole) - len(plain) + 1):
        if plain and whole[begin : begin + len(plain)] == plain:
            return whole[:begin]
    return ()


def _bytes(piece: object) -> bytes:
    """A piece is text, or its bytes where they are no whole characters."""
    return bytes(piece) if isinstance(piece, list) else str(piece).encode("utf-8", "replace")
