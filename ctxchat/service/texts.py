"""All that the program itself says to a model."""

from dataclasses import dataclass

from ctxchat.context.assemble import Wording
from ctxchat.service.compaction import Requests


@dataclass(frozen=True, slots=True)
class Texts:
    """`wording` stands around what a prompt holds, `requests` ask for summaries, and `system` is the system
    message of new conversations."""

    wording: Wording
    requests: Requests
    system: str
