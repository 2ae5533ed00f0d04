"""Short ways to ask a model something in a test."""

from collections.abc import Iterator, Sequence

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.constraint import Constraint
from ctxchat.domain.conversation import Role
from ctxchat.domain.events import (
    EngineEvent,
    Generated,
    Prefilled,
    ReasoningGenerated,
    TextGenerated,
)
from ctxchat.domain.kv import KvCache
from ctxchat.domain.model import Generation, ReasoningTags
from ctxchat.domain.ports import Model
from ctxchat.domain.prompt import PromptMessage
from ctxchat.domain.sampling import Sampling

Ids = tuple[int, ...]


def words(model: Model, count: int, first: str = "one") -> Ids:
    """A prompt of `count` tokens at the least, which differs by its first word."""
    text = first + "".join(f" {number} is a number" for number in range(count))
    return model.vocabulary.tokenize(text, special=False, after=None)[: max(count, 1)]


def begin(
    model: Model,
    ids: Sequence[int],
    cancel: Cancel,
    *,
    limit: int = 12,
    stop: tuple[str, ...] = (),
    tags: ReasoningTags | None = None,
    in_reasoning: bool = False,
    aside: bool = False,
    constraint: Constraint | None = None,
) -> Iterator[EngineEvent]:
    """The events of an answer, the likeliest token always."""
    sampling = Sampling(temperature=0, stop=stop)
    said = (PromptMessage(Role.USER, model.vocabulary.text(ids)),)
    generation = Generation(ids, sampling, limit, tags, in_reasoning, aside, constraint, messages=said)
    return model.generate(generation, cancel)


def answer(
    model: Model, ids: Sequence[int], *, limit: int = 12, stop: tuple[str, ...] = (), aside: bool = False
) -> Generated:
    *_, last = begin(model, ids, Cancel(), limit=limit, stop=stop, aside=aside)
    assert isinstance(last, Generated)
    return last


def cells_of(model: Model) -> KvCache:
    assert model.cache
    return model.cache


def until_prefilled(events: Iterator[EngineEvent]) -> Prefilled:
    """Read up to the first slice that has been evaluated."""
    return next(e for e in events if isinstance(e, Prefilled) and e.done > 0)


def until_text(events: Iterator[EngineEvent]) -> TextGenerated | ReasoningGenerated:
    """Read up to the first text."""
    return next(e for e in events if isinstance(e, TextGenerated | ReasoningGenerated))
