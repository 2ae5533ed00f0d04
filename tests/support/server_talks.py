"""The same conversation held with whoever answers, through the wiring of the program."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.replaying import Answers, Recording, Replaying
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import Compacted, PromptBuilt, TurnEvent, TurnFinished
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import Receipt
from ctxchat.domain.sampling import Sampling
from ctxchat.service import wiring
from ctxchat.service.bench_talk import plan
from ctxchat.service.chat import ChatService
from ctxchat.service.model_in_use import OpenedModel
from ctxchat.service.request import AskRequest
from ctxchat.service.wiring.servers import server_model
from ctxchat.settings.load import load_settings

ASK_EVERY = 5


@dataclass
class Talked:
    """What was seen of a conversation; `counts` are the server's of each prompt, `answers` those of summaries
    too."""

    prompts: list[Prompt] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    folded: int = 0
    answers: Answers = field(default_factory=dict)

    @property
    def recalled(self) -> int:
        return sum(len(receipt.notes) for receipt in self.receipts)

    @property
    def counts(self) -> list[int | None]:
        return [receipt.counted for receipt in self.receipts]

    @property
    def sent(self) -> list[tuple[tuple[int, ...], dict[object, int]]]:
        """Ids and section counts of each prompt."""
        return [(prompt.ids, dict(prompt.sections)) for prompt in self.prompts]


def questions(turns: int) -> list[str]:
    """Plans are told, and every fifth turn asks for one that was told long ago."""
    return [
        f"Who leads the {plan(number // ASK_EVERY).subject}?"
        if number % ASK_EVERY == 0
        else f"{plan(number).leader} leads the {plan(number).subject}."
        for number in range(1, turns + 1)
    ]


class Talks:
    """Holds it in a home that is new each time."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *, window: int, answer: int) -> None:
        self._folder, self._monkeypatch = folder, monkeypatch
        self._window, self._sampling = window, Sampling(temperature=0, max_tokens=answer)
        self._homes = 0

    def at_server(self, url: str, turns: int, gguf: Path | None = None) -> Talked:
        """With what a server says; `gguf` counts for it."""
        self._new_home()
        flags: dict[str, object] = {"server.url": url, "model.path": "server", "model.ctx_size": self._window}
        settings = load_settings(flags | ({"server.vocabulary": str(gguf)} if gguf else {}))
        model = Recording(server_model(settings, ""))
        service = wiring.chat_service(settings, one_shot=False)
        service.use_model(lambda: OpenedModel(model))  # type: ignore[arg-type]
        talked = self.held(service, questions(turns))
        talked.answers = model.answers
        return talked

    def at_local_engine(self, gguf: Path, turns: int, answers: Answers) -> Talked:
        """Given what a server said."""
        self._new_home()
        flags = {"model.path": str(gguf), "model.ctx_size": self._window}
        settings = load_settings(flags | {"model.threads": 1, "model.threads_batch": 1})
        model = Replaying(wiring.models.opened_model(settings, gguf, one_shot=True).model, answers)
        service = wiring.chat_service(settings, one_shot=False)
        service.use_model(lambda: OpenedModel(model))  # type: ignore[arg-type]
        return self.held(service, questions(turns))

    def held(self, service: ChatService, said: Sequence[str]) -> Talked:
        talked = Talked()
        for question in said:
            request = AskRequest(question, session="talk", sampling=self._sampling)
            for event in (*service.ask(request, Cancel()), *service.tidy(Cancel())):
                self._see(talked, event)
        service.close()
        return talked

    def _see(self, talked: Talked, event: TurnEvent) -> None:
        if isinstance(event, PromptBuilt):
            talked.prompts.append(event.prompt)
        elif isinstance(event, Compacted):
            talked.folded += 1
        elif isinstance(event, TurnFinished):
            assert event.receipt.error is None, event.receipt.error
            talked.receipts.append(event.receipt)

    def _new_home(self) -> None:
        self._homes += 1
        for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
            self._monkeypatch.setenv(f"XDG_{kind}_HOME", str(self._folder / str(self._homes) / kind.lower()))
