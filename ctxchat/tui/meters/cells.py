"""How many cells of a bar each part of a whole gets."""

from collections.abc import Sequence


def apportioned(parts: Sequence[int], width: int) -> list[int]:
    """Cells for each part, `width` in all where there is anything: by largest remainders, and at least
    one for each part that is not zero, taken from the longest. Where there are more such parts than
    cells, the largest have one each."""
    whole = sum(parts)
    if whole == 0:
        return [0] * len(parts)
    cells = [part * width // whole for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda at: (-(parts[at] * width % whole), at))
    for at in by_remainder[: width - sum(cells)]:
        cells[at] += 1
    for at in sorted(range(len(parts)), key=lambda at: -parts[at]):
        longest = max(range(len(parts)), key=lambda other: (cells[other], -parts[other]))
        if parts[at] and not cells[at] and cells[longest] > 1:
            cells[longest] -= 1
            cells[at] = 1
    return cells
