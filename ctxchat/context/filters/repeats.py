"""Lines and blocks that follow upon themselves stand once, with a count."""

from collections.abc import Iterator

from ctxchat.context.filters.lines import Lines, amount, mark

RULE = "repeated lines"

LONGEST_BLOCK = 60
_TRIES = 4


def without_repeats(texts: list[str]) -> Lines:
    """The lines with each run of equal lines, or of equal blocks of up to 60 lines, once."""
    result = Lines()
    place = 0
    following = _following(texts)
    while place < len(texts):
        period, times = _repeats_at(texts, following, place)
        for index in range(place, place + period):
            result.add(texts[index], index)
        if times > 1:
            what = "the line above" if period == 1 else f"the {period} lines above"
            more = period * (times - 1)
            result.add(mark(f"{what} {amount(times - 1, 'more time')}"), place + period, more, 0)
        place += period * times
    return result


def _following(texts: list[str]) -> list[int]:
    """For each line the place of the next one that is equal, 0 where there is none."""
    following = [0] * len(texts)
    last: dict[str, int] = {}
    for index in range(len(texts) - 1, -1, -1):
        following[index] = last.get(texts[index], 0)
        last[texts[index]] = index
    return following


def _repeats_at(texts: list[str], following: list[int], place: int) -> tuple[int, int]:
    """The length of the block that is repeated here and how often it stands, 1 and 1 for none."""
    for period in _periods(following, place):
        if texts[place : place + period] == texts[place + period : place + 2 * period]:
            times = 2
            while _stands_again(texts, place, period, times):
                times += 1
            if sum(map(len, texts[place : place + period])) * (times - 1) > 40 or times > 20:
                return period, times
    return 1, 1


def _periods(following: list[int], place: int) -> Iterator[int]:
    after = place
    for _ in range(_TRIES):
        after = following[after]
        if not after or after - place > LONGEST_BLOCK:
            return
        yield after - place


def _stands_again(texts: list[str], place: int, period: int, times: int) -> bool:
    start = place + period * times
    return texts[start : start + period] == texts[place : place + period]
