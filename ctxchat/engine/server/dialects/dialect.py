"""What an answer is asked with, and what comes of it, whoever the server is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import Usage
from ctxchat.domain.model import Generation
from ctxchat.engine.server.address import Address
from ctxchat.engine.server.probing import Probed
from ctxchat.engine.server.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Request:
    """Where an answer is asked for and with what. `left_out` are sampling options the server has no name
    for."""

    url: str
    body: Mapping[str, object]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delta:
    """What one chunk of an answer brings.

    ids: those that were decoded; `unseen` more before the last were decoded that the server did not send
    text, reasoning: as the server decoded it
    read: prompt tokens that are in the server's cells by now, None where it says nothing of them
    finish: why the answer ends here, where it does
    error: what the server says went wrong
    """

    text: str = ""
    ids: tuple[int, ...] = ()
    unseen: int = 0
    reasoning: str = ""
    read: int | None = None
    finish: Finish | None = None
    usage: Usage | None = None
    error: str | None = None

    @property
    def speaks(self) -> bool:
        """Whether the model has decoded something by now."""
        return bool(self.text or self.ids or self.reasoning or self.finish)


class Reader(Protocol):
    """Reads the chunks of one answer, in their order."""

    def read(self, chunk: Mapping[str, Any], /) -> Delta: ...


class Dialect(Protocol):
    """How one kind of server is spoken to.

    `takes_ids` says that prompt and answer are token ids, `reads_alone` that it can read a prompt and say
    nothing, and `block` how many tokens it keeps together in its cache.
    """

    takes_ids: bool
    reads_alone: bool
    block: int

    def request(self, generation: Generation, probed: Probed, address: Address) -> Request:
        """Raises UsageError for a constraint that the server cannot be given."""

    def reader(self) -> Reader: ...

    def adapts(self, refusal: Refusal) -> bool:
        """Whether another form of the request, which is used from now on, may be taken where this one was
        not."""


def finish_of(reason: object) -> Finish | None:
    """Why an answer ended, in OpenAI's words."""
    if not reason:
        return None
    return Finish.LENGTH if reason == "length" else Finish.STOP


def error_in(chunk: Mapping[str, Any]) -> str | None:
    """What went wrong in the middle of an answer."""
    error = chunk.get("error")
    if not error:
        return None
    return str(error.get("message") or error) if isinstance(error, dict) else str(error)


def usage_in(chunk: Mapping[str, Any]) -> Usage | None:
    """What a request took, in OpenAI's words."""
    told = chunk.get("usage")
    if not isinstance(told, dict):
        return None
    details = told.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return Usage(told.get("prompt_tokens"), cached, told.get("completion_tokens"))
