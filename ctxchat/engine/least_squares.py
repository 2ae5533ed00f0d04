"""Least squares over a handful of coefficients, none of which may be below zero."""

from collections.abc import Sequence
from itertools import combinations

Row = tuple[Sequence[float], float]
"""Features and the value they should add up to."""


def nonnegative(rows: Sequence[Row], size: int) -> tuple[float, ...]:
    """The `size` coefficients, all zero or above, with the least sum of squared errors.

    Every subset of them is tried as the ones above zero: with three there are seven.
    """
    best, least = (0.0,) * size, sum(value * value for _, value in rows)
    for count in range(1, size + 1):
        for chosen in combinations(range(size), count):
            found = _solved(rows, chosen)
            if found is None or min(found) < 0:
                continue
            whole = [0.0] * size
            for place, value in zip(chosen, found, strict=True):
                whole[place] = value
            error = sum((_dot(features, whole) - value) ** 2 for features, value in rows)
            if error < least:
                best, least = tuple(whole), error
    return best


def _dot(features: Sequence[float], coefficients: Sequence[float]) -> float:
    return sum(f * c for f, c in zip(features, coefficients, strict=True))


def _solved(rows: Sequence[Row], chosen: Sequence[int]) -> list[float] | None:
    """The normal equations over some of the columns, None where those do not tell them apart.

    Columns are brought to one length first: a token weighs a thousandth of a prompt, and a cell a
    millionth.
    """
    lengths = [sum(features[c] ** 2 for features, _ in rows) ** 0.5 for c in chosen]
    if not all(lengths):
        return None
    columns = [
        [features[c] / length for features, _ in rows] for c, length in zip(chosen, lengths, strict=True)
    ]
    values = [value for _, value in rows]
    matrix = [[_dot(one, other) for other in columns] + [_dot(one, values)] for one in columns]
    return _eliminated(matrix, lengths)


def _eliminated(matrix: list[list[float]], lengths: Sequence[float]) -> list[float] | None:
    size = len(matrix)
    for at in range(size):
        pivot = max(range(at, size), key=lambda row: abs(matrix[row][at]))
        matrix[at], matrix[pivot] = matrix[pivot], matrix[at]
        if abs(matrix[at][at]) < 1e-12:
            return None
        for row in range(size):
            if row != at:
                share = matrix[row][at] / matrix[at][at]
                matrix[row] = [x - share * y for x, y in zip(matrix[row], matrix[at], strict=True)]
    return [matrix[at][size] / matrix[at][at] / lengths[at] for at in range(size)]
