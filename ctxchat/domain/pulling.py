"""What happens while a model is fetched."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PullPlanned:
    """What will be fetched, and why this. `bytes` are those of the whole model, `missing` those that are
    not here yet."""

    name: str
    why: str
    bytes: int | None
    missing: int | None


@dataclass(frozen=True, slots=True)
class PullProgressed:
    """Bytes of the model that are here; `total` is None where nobody says."""

    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class PullDelayed:
    """It goes on after so many seconds."""

    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class PullFinished:
    """The file of the model, the first of several. `verified` says that its checksum is known and right."""

    path: str
    verified: bool
    fetched: bool


PullEvent = PullPlanned | PullProgressed | PullDelayed | PullFinished
