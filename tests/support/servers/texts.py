"""What a server makes of decoded tokens: text that is sent, and text that is held back."""

import codecs
from dataclasses import dataclass
from typing import Protocol

from ctxchat.domain.model import ReasoningTags
from ctxchat.engine.text_stream import MarkerSearch


@dataclass(frozen=True)
class Said:
    """What one token comes to: its text, None where nothing is sent for it, and the stop it completed."""

    text: str | None
    stop: str | None = None


class Speaker(Protocol):
    def feed(self, piece: bytes, *, ends: bool) -> Said: ...

    def finish(self) -> str:
        """What was held back and is sent with the end."""


class LlamaSpeaker:
    """llama-server: a token that leaves a character unfinished is not told at all, and text that may
    be the beginning of a stop is held back, for good where the limit comes before the rest of it."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self._pending = b""
        self._unsent = ""

    def feed(self, piece: bytes, *, ends: bool) -> Said:
        self._pending += piece
        if unfinished(self._pending):
            return Said(None)
        self._unsent += self._pending.decode("utf-8", "replace")
        self._pending = b""
        found = [(at, stop) for stop in self._stops if (at := self._unsent.find(stop)) >= 0]
        if found:
            at, stop = min(found)
            return Said(self._unsent[:at], stop)
        if not ends and any(_ends_like(self._unsent, stop) for stop in self._stops):
            return Said("")
        text, self._unsent = self._unsent, ""
        return Said(text)

    def finish(self) -> str:
        return ""


class VllmSpeaker:
    """vLLM: every token is told, its text follows once characters are whole, and so many letters as
    the longest stop has but one are always held back until the end."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self._held_back = max((len(stop) for stop in stops), default=1) - 1
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._unsent = ""

    def feed(self, piece: bytes, *, ends: bool) -> Said:
        self._unsent += self._decoder.decode(piece)
        found = [(at, stop) for stop in self._stops if (at := self._unsent.find(stop)) >= 0]
        if found:
            at, stop = min(found)
            text, self._unsent = self._unsent[:at], ""
            return Said(text, stop)
        cut = max(0, len(self._unsent) - self._held_back)
        text, self._unsent = self._unsent[:cut], self._unsent[cut:]
        return Said(text)

    def finish(self) -> str:
        return self._unsent


class Thoughts:
    """Parts reasoning, which comes first, from the answer by the tags of the model; with `trims` the
    lines between the two are dropped."""

    def __init__(self, tags: ReasoningTags | None, *, opened: bool, trims: bool) -> None:
        self._tags, self._thinks = tags, opened and tags is not None
        self._closing = MarkerSearch((tags.closing,) if tags else ())
        self._trims = trims
        self._begun, self._between = "", False

    def feed(self, text: str) -> tuple[str, str]:
        """What is reasoning of it, and what is answer."""
        if self._thinks:
            thought = self._closing.feed(text)
            if self._closing.found is None:
                return thought, ""
            self._thinks, self._tags, self._between = False, None, self._trims
            return thought, self._answer(self._closing.rest)
        if self._tags is None:
            return "", self._answer(text)
        self._begun += text
        opening, begun = self._tags.opening, self._begun.lstrip()
        if begun.startswith(opening):
            self._thinks = True
            return self.feed(begun.removeprefix(opening))
        if opening.startswith(begun):
            return "", ""
        self._tags = None
        return "", self._begun

    def _answer(self, text: str) -> str:
        if self._between:
            text = text.lstrip("\n")
            self._between = not text
        return text


def _ends_like(text: str, stop: str) -> bool:
    return any(text.endswith(stop[:length]) for length in range(1, len(stop)))


def unfinished(text: bytes) -> int:
    """How many bytes at the end begin a character that needs more than there are."""
    for behind, byte in enumerate(reversed(text[-4:]), 1):
        needed = 4 if 0xF0 <= byte < 0xF8 else 3 if 0xE0 <= byte < 0xF0 else 2 if 0xC0 <= byte < 0xE0 else 0
        if behind < needed:
            return behind
    return 0
