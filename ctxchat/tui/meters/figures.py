"""All that the meters show, as one value that is folded over the events of turns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ctxchat.display.progress import seconds_left
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.events import (
    Calibrating,
    Compacted,
    Compacting,
    CostPredicted,
    Filtered,
    ModelLoading,
    NotesFound,
    Prefilled,
    PromptBuilt,
    ReasoningGenerated,
    Restored,
    Saving,
    Settling,
    TextGenerated,
    TurnEvent,
    TurnFinished,
    Warned,
)
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import KvCost, Receipt

KEPT_TURNS = 120
"""Turns that sparklines can show: more than the widest panel has cells."""


class Stage(StrEnum):
    """What a turn is doing."""

    RESTING = "at rest"
    LOADING = "loading the model"
    FOLDING = "folding old turns"
    READING = "reading"
    ANSWERING = "answering"
    MEASURING = "measuring what work costs"

    @property
    def is_turn(self) -> bool:
        """Whether somebody waits for it."""
        return self not in {Stage.RESTING, Stage.MEASURING}


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second of prefill and decoding, and seconds to the first token."""

    prefill: float | None = None
    decode: float | None = None
    first_token: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Of a turn while it runs: `done` of `total` tokens or bytes, and how many texts were generated,
    nearly one a token. Times are those of the caller's clock."""

    done: int = 0
    total: int = 0
    began: float = 0.0
    read: float = 0.0
    first: float | None = None
    latest: float = 0.0
    texts: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """`turns` are the speeds of earlier turns, the latest last; the rest is of the latest turn. `kv` is
    of the turn that runs from where it is `foretold`, and of the one before until then. Of the tokens to read
    `ahead` were read before progress was measured."""

    stage: Stage = Stage.RESTING
    prompt: Prompt | None = None
    kv: KvCost | None = None
    foretold: bool = False
    curve: CostCurve | None = None
    ahead: int = 0
    progress: Progress = Progress()
    last: Receipt | None = None
    turns: tuple[Speed, ...] = ()

    def after(self, event: TurnEvent, now: float) -> "Figures":
        """The figures once this event was seen at `now`, in seconds of a clock that never goes back."""
        after = self
        match event:
            case TextGenerated() | ReasoningGenerated():
                after = replace(self, stage=Stage.ANSWERING, progress=_generated(self.progress, now))
            case Prefilled(done, total):
                after = replace(self, stage=Stage.READING, progress=_read(self.progress, done, total, now))
            case ModelLoading(done, total):
                after = replace(self, stage=Stage.LOADING, progress=Progress(done, total))
            case Compacting(turns):
                after = replace(self, stage=Stage.FOLDING, progress=Progress(0, turns))
            case PromptBuilt(prompt):
                after = replace(self, stage=Stage.READING, prompt=prompt, progress=Progress())
            case CostPredicted(kv, _, curve, ahead):
                after = replace(self, kv=kv, foretold=True, curve=curve, ahead=ahead)
            case Calibrating():
                after = replace(self, stage=Stage.MEASURING, progress=Progress())
            case TurnFinished(receipt):
                after = self.finished(receipt)
            case Compacted() | Filtered() | NotesFound() | Restored() | Settling() | Saving() | Warned():
                pass
        return after

    def finished(self, receipt: Receipt) -> "Figures":
        """The figures once a turn ended so. What it never reached stays as it was."""
        latency = receipt.latency
        speed = Speed(latency.prefill_rate, latency.decode_rate, latency.first_token)
        turns = self.turns if speed == Speed() else (*self.turns, speed)[-KEPT_TURNS:]
        return replace(
            self,
            stage=Stage.RESTING,
            prompt=receipt.prompt or self.prompt,
            kv=receipt.kv or self.kv,
            foretold=False,
            progress=Progress(),
            last=receipt,
            turns=turns,
        )

    @property
    def speed(self) -> Speed:
        """As measured so far in the turn that runs, and as the latest turn ended where none does."""
        if self.stage not in {Stage.READING, Stage.ANSWERING}:
            return self.turns[-1] if self.turns else Speed()
        now = self.progress
        first = None if now.first is None else now.first - now.began
        reading = now.read - now.began
        decoding = now.latest - now.read
        timed = now.done - self.ahead
        prefill = timed / reading if timed > 0 and reading > 0 else None
        return Speed(prefill, now.texts / decoding if now.texts and decoding > 0 else None, first)

    @property
    def seconds_left(self) -> float | None:
        """Of prefill, None before it began and once it is over."""
        now = self.progress
        timed, total = now.done - self.ahead, now.total - self.ahead
        if self.stage is not Stage.READING or not 0 < timed < total:
            return None
        depth = self.kv.reused + self.ahead if self.kv else 0
        return seconds_left(self.curve, depth, timed, total, now.read - now.began)

    @property
    def cells(self) -> int | None:
        """The cells that the conversation holds now."""
        if self.kv is None or not self.foretold:
            return self.kv.cells if self.kv else None
        return self.kv.cells - self.progress.total + self.progress.done + self.progress.texts


def of_conversation(receipts: Sequence[Receipt]) -> Figures:
    """The figures where these turns, oldest first, are what came before."""
    figures = Figures()
    for receipt in receipts[-KEPT_TURNS:]:
        figures = figures.finished(receipt)
    return figures


def _read(before: Progress, done: int, total: int, now: float) -> Progress:
    began = now if done == 0 or before.total != total else before.began
    return Progress(done, total, began=began, read=now, latest=now)


def _generated(before: Progress, now: float) -> Progress:
    first = now if before.first is None else before.first
    return replace(before, first=first, latest=now, texts=before.texts + 1)
