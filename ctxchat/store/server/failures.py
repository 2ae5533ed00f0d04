"""What can go wrong with a server, in the words of a person, without what its address hides."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from ctxchat.domain.errors import CtxChatError, NotesUnreachableError
from ctxchat.store.server.address import Address

_LONGEST = 200
_START = "start it, or change notes.url"
_REFUSED = (401, 403)
_NO_CHROMA = (404, 405, 410)


class GoneError(NotesUnreachableError):
    """A collection was deleted on the server after it was listed."""


@contextmanager
def told(address: Address, seconds: float) -> Iterator[None]:
    """Whatever asking a server raises, as NotesUnreachableError; it has so many seconds."""
    if seconds <= 0:
        raise NotesUnreachableError(
            f"the notes' server {address.url} is slow: there is no time left to ask it"
        )
    try:
        yield
    except CtxChatError:
        raise
    except Exception as error:
        raise _failure(error, address, seconds) from None


def _failure(error: Exception, address: Address, seconds: float) -> NotesUnreachableError:
    server = f"the notes' server {address.url}"
    match error:
        case httpx.ConnectTimeout():
            return NotesUnreachableError(f"{server} cannot be reached (no answer): {_START}")
        case httpx.ConnectError():
            return NotesUnreachableError(f"{server} cannot be reached ({_plain(error)}): {_START}")
        case httpx.TimeoutException():
            return NotesUnreachableError(f"{server} is slow: it has not answered within {seconds:.0f} s")
        case httpx.HTTPError():
            return NotesUnreachableError(f"{server} broke the connection ({_plain(error)}): try again")
        case _:
            return _answered(error, server, address)


def _answered(error: Exception, server: str, address: Address) -> NotesUnreachableError:
    """It answered, and not what was asked for."""
    status, said = _status(error), _plain(error)
    if status in _REFUSED:
        return NotesUnreachableError(
            f"{server} refuses the key ({status}): check notes.key_env or notes.key_command, and notes.tenant"
        )
    if status == 404 and type(error).__name__ == "NotFoundError":
        if "Collection" in said:
            return GoneError(f"{server} has lost a collection meanwhile ({said}): try again")
        return NotesUnreachableError(
            f"{server} has no database {address.tenant}/{address.database}: "
            "change notes.tenant and notes.database, or make it there"
        )
    if status in _NO_CHROMA or isinstance(error, ValueError | KeyError | TypeError | AttributeError):
        return NotesUnreachableError(
            f"{server} does not answer as a Chroma server of version 1 does ({status or said}): "
            "check notes.url, and the server's version"
        )
    return NotesUnreachableError(f"{server} failed ({status or type(error).__name__}: {said}): see its log")


def _status(error: Exception) -> int | None:
    """The HTTP status behind an error of Chroma's client."""
    behind = error.__context__
    if isinstance(behind, httpx.HTTPStatusError):
        return behind.response.status_code
    code = getattr(error, "code", None)
    return int(code()) if callable(code) else None


def _plain(error: Exception) -> str:
    return " ".join(str(error).split())[:_LONGEST] or type(error).__name__
