"""Summary blocks for people: which turns they cover, who wrote them, what they say."""

from collections.abc import Iterator, Sequence

from ctxchat.display import amounts
from ctxchat.domain.summary import SummaryBlock, SummaryOrigin
from ctxchat.service.summaries import Summaries, SummarySize

AUTHORS = {
    SummaryOrigin.MODEL: "by the model",
    SummaryOrigin.DIGEST: "by rule, from what was said",
    SummaryOrigin.PERSON: "edited by you",
}


def spans(summaries: Summaries) -> Iterator[tuple[int, int]]:
    """The first and the last turn of each block."""
    begin = 1
    for block in summaries.blocks:
        yield begin, begin + block.turns - 1
        begin += block.turns


def span(begin: int, end: int) -> str:
    return f"turn {begin:,}" if begin == end else f"turns {begin:,} to {end:,}"


def folded_lines(summaries: Summaries, sizes: Sequence[SummarySize] | None) -> Iterator[tuple[str, str]]:
    """The id of the last message of each block, and what was folded up to it, with the tokens where they
    were counted."""
    for at, (block, turns) in enumerate(zip(summaries.blocks, spans(summaries), strict=True)):
        line = f"folded {span(*turns)} into a summary, {AUTHORS[block.origin]}"
        if sizes:
            before, after = (
                amounts.estimate(tokens, exact=sizes[at].exact)
                for tokens in (sizes[at].before, sizes[at].after)
            )
            line += f": {before} → {after} tokens"
        yield block.last, line


def passage(block: SummaryBlock) -> str:
    """What stands in the prompt, and what did not find room there."""
    left = f"\n\nLeft to search: {', '.join(block.left_out)}" if block.left_out else ""
    return block.text + left


def undone(before: Summaries, after: Summaries) -> str:
    """What taking a compaction or an edit back did, in a line."""
    if after.turns < before.turns:
        again = span(after.turns + 1, before.turns)
        verb = "is" if after.turns + 1 == before.turns else "are"
        return f"undone: {again} {verb} sent word for word again"
    return "undone: the summary before it stands again, and no turn more is sent word for word"
