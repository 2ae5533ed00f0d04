"""A question to a server, asked again where that may help."""

from collections.abc import Callable, Generator, Mapping
from typing import TypeVar

from ctxchat.domain.errors import ModelError
from ctxchat.domain.pulling import PullDelayed
from ctxchat.engine.hub.refusals import lost
from ctxchat.engine.patience import FIRST_TRIES, MAX_TRIES, pause

Answer = TypeVar("Answer")
Refused = Callable[[int, Mapping[str, str]], ModelError]


def asked(
    ask: Callable[[], Answer], name: str, refused: Refused, wait: Callable[[float], None]
) -> Generator[PullDelayed, None, Answer]:
    """The answer, behind delays. `name` is what is asked about; `refused` says what a status means. Raises
    ModelError."""
    import httpx2

    failures = 0
    while True:
        try:
            return ask()
        except httpx2.HTTPError as error:
            failures += 1
            delay = delay_behind(error, failures, name, refused, tries=FIRST_TRIES)
        yield delay
        wait(delay.seconds)


def delay_behind(
    error: Exception, failures: int, name: str, refused: Refused, *, tries: int = MAX_TRIES
) -> PullDelayed:
    """How long to wait behind the last of some failures in a row, so many `tries` of a connection. Raises
    ModelError where it is given up."""
    response = getattr(error, "response", None)
    if response is None:
        seconds = pause(failures, tries=tries)
        if seconds is None:
            raise lost(name, error) from error
        return PullDelayed(f"the connection failed ({type(error).__name__})", seconds)
    seconds = pause(failures, response.status_code, response.headers.get("Retry-After"))
    if seconds is None:
        raise refused(response.status_code, response.headers) from error
    return PullDelayed(f"the server answered {response.status_code}", seconds)
