"""Whether an answer is what was asked for."""

from ctxchat.domain.constraint import Constraint
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import UnsatisfiedError
from ctxchat.domain.events import Generated


def check_satisfied(constraint: Constraint | None, generated: Generated | None) -> None:
    """Raises UnsatisfiedError for an answer that has ended and is not what its constraint asks for."""
    if constraint is None or generated is None or generated.satisfied:
        return
    if generated.finish is Finish.LENGTH:
        raise UnsatisfiedError(
            f"the answer was cut at its limit before it satisfied the {constraint.name}:"
            " --max-tokens raises it"
        )
    if generated.finish is Finish.STOP:
        raise UnsatisfiedError(f"the answer does not satisfy the {constraint.name}")
