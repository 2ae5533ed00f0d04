"""Reading the beginning of a prompt while its end is not known yet."""

from collections.abc import Iterator

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Section
from ctxchat.domain.events import Prefilled
from ctxchat.domain.model import Generation
from ctxchat.domain.ports import Model
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.sampling import Sampling
from ctxchat.service.restoring import restore
from ctxchat.service.turn import Turn


def before_the_question(prompt: Prompt) -> tuple[int, ...]:
    """The tokens that stand before the words of the question, none where nothing is asked."""
    ids: list[int] = []
    for piece in prompt.pieces:
        if piece.section is Section.QUESTION:
            return tuple(ids)
        ids += piece.ids
    return ()


def read_beginning(model: Model, ids: tuple[int, ...], cancel: Cancel) -> Iterator[Prefilled]:
    """Have the chat's cells hold `ids`, the beginning of a prompt, and nothing behind them. What was read
    until it was cancelled stays. Raises EngineError and PromptTooLargeError."""
    for event in model.generate(Generation(ids, Sampling(temperature=0), limit=0), cancel):
        if isinstance(event, Prefilled):
            yield event


def read_ahead(turn: Turn, model: Model, prompt: Prompt, cancel: Cancel) -> None:
    """Read what stands before the words of the question: whatever is recalled comes behind it.

    How the prompt met the cells before is noted in the turn, and how long this took.
    """
    ids = before_the_question(prompt)
    if model.cache is None or not ids or prompt.total > prompt.usable:
        return
    restore(turn, model, prompt.ids, prompt.reserve)
    plan = model.cache.plan(prompt.ids, prompt.reserve)
    if plan.reused >= len(ids):
        return
    turn.ahead, began = plan, turn.watch.clock.seconds()
    for _ in read_beginning(model, ids, cancel):
        pass
    turn.watch.ahead = turn.watch.clock.seconds() - began
