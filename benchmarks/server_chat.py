"""Conversations at a server, held through the service as a front end does, and what was seen of each turn."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from replaying import Answers, Recording, Replaying

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Section
from ctxchat.domain.events import (
    Compacted,
    CostPredicted,
    NotesFound,
    PromptBuilt,
    TurnEvent,
    TurnFinished,
    Warned,
)
from ctxchat.domain.ports import Model
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.sampling import Sampling
from ctxchat.service import wiring
from ctxchat.service.bench_talk import plan
from ctxchat.service.chat import ChatService
from ctxchat.service.model_in_use import OpenedModel
from ctxchat.service.request import AskRequest
from ctxchat.service.wiring.servers import server_model
from ctxchat.settings.load import load_settings
from ctxchat.settings.schema import Settings

ANSWER = 40
"""Tokens of an answer at the most."""

SYSTEM_PLANS = 16
EVERY = 4
CHATTED = (
    "What do people like so much about {}?",
    "Tell me something about {}.",
    "What would you change about {}?",
)
TOPICS = (
    *("the sea", "old trains", "bread", "mountains", "chess", "gardens", "clocks", "whales", "maps", "tea"),
    *("opera", "bees", "rain", "volcanoes", "ice skating", "poems", "bridges", "cheese", "comets", "wool"),
    *("rivers", "jazz", "deserts", "violins"),
)
NOTE = "The key of the swimming hall hangs behind the blue door of the rope factory."
ABOUT_THE_NOTE = "Where does the key of the swimming hall hang?"
NOTE_TURN = 9


@dataclass(frozen=True)
class Target:
    """A server, the `gguf` of its model where it is here, and the window that is used of it."""

    url: str
    model: str | None
    gguf: Path | None
    window: int

    def settings(self) -> Settings:
        flags: dict[str, object] = {"server.url": self.url, "model.path": "server"}
        flags |= {"model.ctx_size": self.window}
        named = {"server.model": self.model, "server.vocabulary": self.gguf and str(self.gguf)}
        return load_settings(flags | {key: value for key, value in named.items() if value})

    def local(self) -> Settings:
        assert self.gguf
        return load_settings({"model.path": str(self.gguf), "model.ctx_size": self.window})


@dataclass
class Row:
    """A turn: tokens of the prompt as we count them and as the server did, those it was expected to have
    cached, and had; seconds to the first token, and foretold; compactions, and passages recalled."""

    number: int
    prompt: int = 0
    counted: int | None = None
    expected: int | None = None
    cached: int | None = None
    first_token: float | None = None
    predicted: float | None = None
    decode_rate: float | None = None
    answered: int | None = None
    folded: int = 0
    recalled: int = 0
    recalled_tokens: int = 0
    exact: bool = True
    problems: list[str] = field(default_factory=list)

    @property
    def share(self) -> float | None:
        """Of the prompt, what the server had cached."""
        return self.cached / self.prompt if self.cached is not None and self.prompt else None

    @property
    def share_of_known(self) -> float | None:
        """The same without what was recalled for this very turn, which no server can have."""
        known = self.prompt - self.recalled_tokens
        return self.cached / known if self.cached is not None and known else None


def at_home(folder: Path) -> None:
    """Have this process keep all it writes in a folder."""
    os.environ |= {f"XDG_{kind}_HOME": str(folder) for kind in ("CACHE", "CONFIG", "DATA", "STATE")}


def at_server(target: Target) -> tuple[ChatService, Recording]:
    settings = target.settings()
    model = Recording(server_model(settings, ""))
    return _service(settings, model), model


def at_local_engine(target: Target, answers: Answers) -> tuple[ChatService, Replaying]:
    """The local engine, which is given the answers of a server."""
    settings = target.local()
    path = target.gguf
    assert path
    opened = wiring.models.opened_model(settings, path, one_shot=False)
    model = Replaying(opened.model, answers)
    return _service(settings, model), model


def _service(settings: Settings, model: Recording | Replaying) -> ChatService:
    service = wiring.chat_service(settings, one_shot=False)
    service.use_model(lambda: OpenedModel(_as_model(model)))
    return service


def _as_model(model: object) -> Model:
    return model  # type: ignore[return-value]


def questions(turns: int, *, notes: bool, first: int = SYSTEM_PLANS) -> list[str]:
    """Of a conversation: every fourth turn tells a plan, from the number `first` on, every fourth asks for
    one that was told long ago, and the others chat; with `notes` one asks for the note."""
    said = [_question(number, first) for number in range(1, turns + 1)]
    if notes and turns > NOTE_TURN:
        said[NOTE_TURN] = ABOUT_THE_NOTE
    return said


def _question(number: int, first: int) -> str:
    if number % EVERY == 1:
        return _told(first + number // EVERY)
    if number % EVERY == 0:
        return f"Who leads the {plan(first + number // EVERY // 2).subject}?"
    return CHATTED[number % len(CHATTED)].format(TOPICS[(first + number) % len(TOPICS)])


def system_text() -> str:
    """What the conversation begins with: plans that stand."""
    plans = [_told(number) for number in range(SYSTEM_PLANS)]
    return "You keep the plans of a town, and answer in one short sentence.\n" + "\n".join(plans)


def _told(number: int) -> str:
    told = plan(number)
    return f"{told.leader} leads the {told.subject} from {told.date} on, with {told.budget} euros."


def remember_note() -> bool:
    """Whether notes can be kept here; then there is one."""
    if find_spec("chromadb") is None:
        return False
    wiring.memory_service(load_settings({})).add(NOTE)
    return True


def converse(service: ChatService, turns: int, *, notes: bool) -> Iterator[tuple[Row, Prompt | None]]:
    """Hold the conversation, turn by turn."""
    for number, question in enumerate(questions(turns, notes=notes), 1):
        system = system_text() if number == 1 else None
        yield asked(service, number, AskRequest(question, session="talk", system=system, sampling=short()))


def short(tokens: int = ANSWER) -> Sampling:
    return Sampling(temperature=0, max_tokens=tokens)


def asked(service: ChatService, number: int, request: AskRequest) -> tuple[Row, Prompt | None]:
    """One turn, and what is done behind it."""
    row, prompts = Row(number), list[Prompt]()
    cancel = Cancel()
    for event in (*service.ask(request, cancel), *service.tidy(cancel)):
        _see(row, prompts, event)
    return row, prompts[-1] if prompts else None


def _see(row: Row, prompts: list[Prompt], event: TurnEvent) -> None:
    match event:
        case PromptBuilt(prompt):
            prompts.append(prompt)
            row.prompt, row.exact = prompt.total, prompt.exact
            row.recalled_tokens = _recalled_now(prompt)
        case CostPredicted(kv, predicted):
            row.expected, row.predicted = kv.reused, predicted.prefill
        case Compacted():
            row.folded += 1
        case NotesFound(notes):
            row.recalled = len(notes)
        case Warned(message):
            row.problems.append(message)
        case TurnFinished(receipt):
            row.counted, row.answered = receipt.counted, receipt.answer_tokens
            row.cached = receipt.kv.reused if receipt.kv else None
            row.first_token, row.decode_rate = receipt.latency.first_token, receipt.latency.decode_rate
            if receipt.error:
                row.problems.append(receipt.error.message)
        case _:
            pass


def _recalled_now(prompt: Prompt) -> int:
    """Tokens of what was recalled for the question itself, with the words around it."""
    last = len(prompt.roles) - 1
    pieces = prompt.pieces
    return sum(len(one.ids) for one in pieces if one.place == last and one.section is not Section.QUESTION)
