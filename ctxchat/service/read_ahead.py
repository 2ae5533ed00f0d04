"""Reading the beginning of a prompt while its end is not known yet."""

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Section
from ctxchat.domain.model import Generation
from ctxchat.domain.ports import Model
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.sampling import Sampling
from ctxchat.service.restoring import restore
from ctxchat.service.turn import Turn


def read_ahead(turn: Turn, model: Model, prompt: Prompt, cancel: Cancel) -> None:
    """Prefill what stands before the words of the question: whatever is recalled comes behind it.

    How the prompt met the cells before is noted in the turn, and how long this took.
    """
    ids = _before_the_question(prompt)
    if model.cache is None or not ids or prompt.total > prompt.usable:
        return
    restore(turn, model, prompt.ids, prompt.reserve)
    plan = model.cache.plan(prompt.ids, prompt.reserve)
    if plan.reused >= len(ids):
        return
    turn.ahead, began = plan, turn.watch.clock.seconds()
    for _ in model.generate(Generation(ids, Sampling(temperature=0), limit=0), cancel):
        pass
    turn.watch.ahead = turn.watch.clock.seconds() - began


def _before_the_question(prompt: Prompt) -> tuple[int, ...]:
    ids: list[int] = []
    for piece in prompt.pieces:
        if piece.section is Section.QUESTION:
            return tuple(ids)
        ids += piece.ids
    return ()
