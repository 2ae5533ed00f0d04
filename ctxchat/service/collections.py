"""Collections as a person names them."""

from collections.abc import Sequence
from difflib import get_close_matches

from ctxchat.domain.errors import UsageError


def unknown(named: Sequence[str], known: Sequence[str]) -> str | None:
    """A line about the first of the named that there is not."""
    for name in named:
        if name not in known:
            return f'there is no collection "{name}": {_hint(name, known)}'
    return None


def require(named: Sequence[str], known: Sequence[str]) -> None:
    """Raises UsageError for a collection that there is not."""
    if line := unknown(named, known):
        raise UsageError(line)


def _hint(name: str, known: Sequence[str]) -> str:
    if not known:
        return "there are no notes yet; add some with ctxchat notes add PATH"
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    if near:
        return "did you mean " + " or ".join(f'"{other}"' for other in near) + "?"
    return "there are " + ", ".join(f'"{other}"' for other in known)
