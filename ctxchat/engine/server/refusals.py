"""What a server refuses, in one line with the way out."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LONGEST = 300
"""Characters of what a server says that are shown."""

_TOO_LONG = re.compile(
    r"exceed\w* the (available )?context|maximum (context|input) length|context length is only|"
    r"(prompt|input) is too long|"
    r"max_model_len|context_length_exceeded|exceed_context_size|Requested tokens \(\d+\) exceed",
    re.IGNORECASE,
)


@dataclass(eq=False)
class Refusal(Exception):  # noqa: N818 - it is told as one of the domain's errors
    """A server that did not do what it was asked, or could not be asked. `status` is None where none came:
    the connection failed, and `said` is why; `waited` says that no more time was given, `stale`
    that the connection had been used before, and may have been closed since."""

    status: int | None
    said: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    waited: bool = False
    stale: bool = False

    @property
    def retry_after(self) -> str | None:
        return self.headers.get("retry-after")

    @property
    def is_too_long(self) -> bool:
        """Whether the prompt is more than the server takes."""
        return self.status in {400, 413, 422} and bool(_TOO_LONG.search(self.said))

    def reason(self) -> str:
        """What made it fail, in few words."""
        return self.said if self.status is None else f"the server answered {self.status}"


def said_in(body: bytes) -> str:
    """What the body of a refusal says, in one line: the message of an error, or the beginning of a text."""
    try:
        found = json.loads(body)
    except ValueError:
        found = body.decode("utf-8", "replace")
        if found.lstrip()[:1] == "<":
            return "a web page came and no answer of an API"
    return one_line(_message(found))


def one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} …"


def told(refusal: Refusal, shown: str, model: str | None, known: Sequence[str] = ()) -> str:
    """The line for a person. `known` are the models that the server lists."""
    said = f": {refusal.said}" if refusal.said else ""
    if refusal.status is None:
        return _not_reached(refusal, shown)
    match refusal.status:
        case 401 | 403:
            return f"{shown} wants another key{said}; set the key of [server]"
        case 404 if model is not None:
            there = f"it has {listed(known)}" if known else "see what it has at /v1/models"
            return f"{shown} has no model {model}, or is no such server{said}; {there}"
        case 429 | 503:
            return f"{shown} has too much to do or is not ready ({refusal.status}{said}); ask again later"
        case 200:
            return f"what {shown} gave is no answer{said}"
        case status:
            return f"{shown} refused the request ({status}{said})"


def _not_reached(refusal: Refusal, shown: str) -> str:
    if refusal.waited:
        return f"{shown} does not answer: {refusal.said}; look at the server, or raise that timeout"
    return (
        f"nothing answers at {shown} ({refusal.said}): start the server, or set the url of [server] to where "
        "it runs"
    )


def listed(names: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more


def _message(found: Any) -> str:
    """The message in the places where servers put it."""
    while isinstance(found, dict):
        found = next((found[key] for key in ("error", "message", "detail", "msg") if found.get(key)), "")
    if isinstance(found, list) and found:
        return _message(found[0])
    return found if isinstance(found, str) else ""
