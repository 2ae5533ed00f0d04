"""A short answer to a prompt of ids."""

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.model import Generation
from ctxchat.domain.ports import Model
from ctxchat.domain.sampling import Sampling

PROMPT = tuple(range(1, 200))


def ask(model: Model, ids: tuple[int, ...] = PROMPT, *, aside: bool = False) -> None:
    generation = Generation(ids, Sampling(temperature=0), limit=10, aside=aside)
    list(model.generate(generation, Cancel()))
