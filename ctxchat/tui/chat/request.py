"""From a draft to what is asked of the service."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from ctxchat.domain.sampling import Sampling
from ctxchat.service.request import AskRequest, Reply
from ctxchat.settings.schema import Settings, value_of
from ctxchat.tui.chat.written import Written
from ctxchat.tui.start import Start

HOLD_NOW = frozenset(
    {"context.think", "context.think_budget", "notes.recall"}
    | {f"sampling.{f.name}" for f in fields(Sampling)}
)
"""Settings that hold from the next question on; all others from the next start on."""


@dataclass
class Asking:
    """How questions of this chat are asked: what the command line said, and what was changed since.

    `conversation` is the id of the one that is open, None before the first question of a new one;
    `name` is the name it gets where one was given.
    """

    start: Start
    sampling: Sampling
    think: bool | None
    think_budget: int | None
    memory: bool
    conversation: str | None = None
    name: str | None = None
    system: str | None = None
    pins: tuple[str, ...] = ()
    collections: tuple[str, ...] | None = None

    def request(self, draft: Written, *, dry_run: bool = False) -> AskRequest:
        """What a draft asks. Of a new conversation the system text and the pins ride along."""
        new = self.conversation is None
        return AskRequest(
            draft.text,
            attachments=draft.attachments,
            data=draft.data,
            collections=self.collections,
            memory=self.memory,
            filters=self.start.filters,
            session=self.conversation or self.name,
            system=self.system if new else None,
            pins=self.pins if new else (),
            sampling=self.sampling,
            think=self.think,
            think_budget=self.think_budget,
            dry_run=dry_run,
        )

    def begin_anew(self) -> None:
        """Let the next question begin a conversation."""
        self.conversation, self.name, self.system, self.pins = None, None, self.start.system, self.start.pins

    def take(self, settings: Settings, keys: Iterable[str]) -> None:
        """Take what was changed in the settings and holds now."""
        for key in HOLD_NOW.intersection(keys):
            value: Any = value_of(settings, key)
            if key == "context.think":
                self.think = value
            elif key == "context.think_budget":
                self.think_budget = value
            elif key == "notes.recall":
                self.memory = value
            else:
                self.sampling = replace(self.sampling, **{key.partition(".")[2]: value})

    def with_temperature(self, temperature: float) -> None:
        self.sampling = replace(self.sampling, temperature=temperature)

    def reply(self, conversation: str, reply: Reply) -> AskRequest:
        """What asks for another answer to the last question, or for the rest of the last answer."""
        return AskRequest(
            "",
            session=conversation,
            reply=reply,
            sampling=self.sampling,
            think=self.think,
            think_budget=self.think_budget,
        )


def asking_of(start: Start, settings: Settings) -> Asking:
    """How a chat begins to ask that was started so."""
    return Asking(
        start,
        settings.sampling,
        settings.context.think,
        settings.context.think_budget,
        settings.notes.recall,
        system=start.system,
        pins=start.pins,
        collections=start.collections,
    )
