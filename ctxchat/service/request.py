"""What a person asks for in one turn."""

from dataclasses import dataclass, field
from enum import StrEnum

from ctxchat.context.attachments import Attachment
from ctxchat.domain.constraint import Constraint
from ctxchat.domain.sampling import Sampling


class Reply(StrEnum):
    """What is asked for: an answer to a new question, another one to the last question, or the rest of
    the last answer, which was cut."""

    NEW = "new"
    AGAIN = "again"
    REST = "rest"


def reasoning_switch(think: bool | None, budget: int | None) -> bool | None:
    """What a chat template is told of reasoning: None leaves it as it is, no tokens for it switch it off."""
    return False if budget == 0 else think


@dataclass(frozen=True, slots=True)
class AskRequest:
    """One question and how it is to be answered.

    `session` names a conversation (one that is new is made), `resume` means the one used last,
    neither means a new one; `fork` answers in a copy of it. Without `record` nothing is written.
    `system` None leaves the settings' text. `think` None leaves reasoning to the model, and `think_budget`
    is how many tokens it may take at the most; 0 is none.
    `data` are texts of structured files, by their path. Notes are recalled from `collections`, None
    leaving it to the settings; without `memory` nothing is recalled, without `filters` attached text is
    sent whole or refused. With `dry_run` the prompt is built and planned, and neither sent nor written.
    Where `reply` asks for no new answer, the question is the last one as it was sent: what it came with
    here is not looked at, and nothing is recalled. What the model writes satisfies the
    `constraint`, or the turn fails.
    """

    question: str
    attachments: tuple[Attachment, ...] = ()
    data: tuple[Attachment, ...] = ()
    collections: tuple[str, ...] | None = None
    memory: bool = True
    filters: bool = True
    session: str | None = None
    resume: bool = False
    fork: bool = False
    record: bool = True
    system: str | None = None
    pins: tuple[str, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    think: bool | None = None
    think_budget: int | None = None
    dry_run: bool = False
    reply: Reply = Reply.NEW
    constraint: Constraint | None = None

    @property
    def writes(self) -> bool:
        return self.record and not self.dry_run

    @property
    def thinks(self) -> bool | None:
        """What the chat template is told of reasoning."""
        return reasoning_switch(self.think, self.think_budget)
