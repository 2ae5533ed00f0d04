"""What was done to the context before a question was sent, in a line each."""

from collections.abc import Sequence
from itertools import pairwise

from ctxchat.display import amounts
from ctxchat.domain.events import Compacted
from ctxchat.domain.receipt import FilterStep
from ctxchat.domain.summary import SummaryOrigin


def filtered(steps: Sequence[FilterStep]) -> str:
    """Tokens before and after all steps, and by how many rules: `8,978 → 1,204 tokens by 3 rules`.

    A step that does not begin where the one before it ended begins with another text.
    """
    goes_on = [former.after == step.before for former, step in pairwise(steps)]
    first = [step for step, on in zip(steps, [False, *goes_on], strict=True) if not on]
    last = [step for step, on in zip(steps, [*goes_on, False], strict=True) if not on]
    before = amounts.estimate(sum(step.before for step in first), exact=all(step.exact for step in first))
    after = amounts.estimate(sum(step.after for step in last), exact=all(step.exact for step in last))
    rules = len({step.rule for step in steps})
    return f"{before} → {after} tokens by {rules} {'rule' if rules == 1 else 'rules'}"


def folding(event: Compacted) -> str:
    """What a compaction did and saved."""
    writer = "the model" if event.origin is SummaryOrigin.MODEL else "a digest"
    turns = "turn" if event.turns == 1 else f"{event.turns:,} turns"
    return f"folded the oldest {turns} into a summary by {writer}: {event.before:,} → {event.after:,} tokens"


def folded(event: Compacted) -> str:
    """What a compaction did, in a line, and the commands that show it and undo it."""
    return f"{folding(event)}; `ctxchat compact show` shows it, `undo` takes it back"
