"""What sending a draft will cost, in as many words as there is room for."""

from collections.abc import Iterator

from textual.content import Content

from ctxchat.display import amounts
from ctxchat.service.draft_cost import Draft

_TOO_LARGE = "too large: old turns or attached text give way"


def foretold(cost: Draft, columns: int) -> Content:
    """The longest of the ways to say it that fits, and the shortest where none does."""
    ways = list(_ways(cost))
    told = next((way for way in ways if len(way) <= columns), ways[-1])
    return Content.styled(told, "" if cost.fits else "$text-error")


def _ways(cost: Draft) -> Iterator[str]:
    """From the longest to the shortest: what the draft adds, the prompt it makes, and whether that fits."""
    tokens, total = (amounts.estimate(number, exact=cost.exact) for number in (cost.tokens, cost.total))
    prompt = f"prompt {total} of {cost.usable:,}"
    if not cost.fits:
        yield f"draft {tokens} tokens · {prompt} · {_TOO_LARGE}"
        yield f"draft {tokens} · {prompt} · too large"
        yield f"{tokens} → {total}/{cost.usable:,} · too large"
    else:
        new, prefill = f"{amounts.estimate(cost.evaluated, exact=cost.exact)} new", cost.predicted.prefill
        if cost.predicted.cost is not None:
            new += f", ~{amounts.money(cost.predicted.cost)}"
        if prefill is not None:
            seconds = amounts.seconds(prefill)
            yield f"draft {tokens} tokens · {prompt}, {new} · fits · first token in about {seconds}"
            yield f"draft {tokens} · {prompt}, {new} · fits · ~{seconds}"
        yield f"draft {tokens} tokens · {prompt}, {new} · fits"
        yield f"{tokens} → {total} of {cost.usable:,} · fits"
    yield f"{tokens} → {total}" + ("" if cost.fits else " !")
