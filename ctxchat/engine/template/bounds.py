"""How large a value a chat template may build, judged before it is built.

A template puts some thousands of characters around messages, so a million of anything is a
template that means harm or is broken.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

LIMIT = 1_000_000
"""Characters of a text, and characters and elements of a nested value."""

TOTAL = 50 * LIMIT
"""The same of all that is built while a template is rendered once."""

_MAX_BITS = 4096
_MAX_WIDTH = 100
_WIDE = re.compile(r"\d{3,}|\*|:[^}]*\{")


class TooLargeError(Exception):
    """A template would build a value beyond the limit."""

    def __init__(self) -> None:
        super().__init__("it builds a value without end")


def weigh(value: Any) -> int:
    """The size of a value, nested ones counted as often as they stand in it. Raises TooLargeError
    beyond the limit."""
    size, stack = 0, [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str | list | tuple | set | dict):
            size += len(item)
            if size > LIMIT:
                raise TooLargeError
        if isinstance(item, list | tuple | set):
            stack.extend(item)
        elif isinstance(item, dict):
            stack.extend(item.values())
    return size


Item = TypeVar("Item")


def gathered(parts: Iterable[Item]) -> list[Item]:
    """Values as a list, as long as they and their number stay within the limit."""
    left, items = LIMIT, []
    for part in parts:
        left -= weigh(part) + 1
        if left < 0:
            raise TooLargeError
        items.append(part)
    return items


def check_width(width: object) -> None:
    size = len(width) if isinstance(width, str) else width
    if isinstance(size, int) and size > _MAX_WIDTH:
        raise TooLargeError


def check_operation(operator: str, left: Any, right: Any) -> None:
    """Judge `left operator right` for `*`, `**` and `%`; a sum can be weighed when it is there."""
    if operator == "%" and isinstance(left, str):
        _check_format(left, left.count("%"), (right,))
    elif operator in {"*", "**"} and isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
        if bits > _MAX_BITS:
            raise TooLargeError
    elif operator == "*":
        _check_repeated(left, right)
        _check_repeated(right, left)


def check_method(text: str, name: str, arguments: Sequence[Any]) -> None:
    """Judge a call of a text's own method by what it would return."""
    if name == "format":
        _check_format(text, text.count("{"), arguments)
    elif name == "replace" and len(arguments) >= 2:
        old, new = str(arguments[0]), str(arguments[1])
        _check_size(len(text) + text.count(old) * len(new))
    elif name == "join" and arguments:
        parts = arguments[0]
        if not isinstance(parts, list | tuple):
            raise TooLargeError
        _check_size(sum(len(str(part)) + len(text) for part in parts))


def _check_repeated(value: Any, times: Any) -> None:
    if isinstance(value, str | list | tuple) and isinstance(times, int):
        _check_size(len(value) * times)


def _check_format(text: str, fields: int, arguments: Sequence[Any]) -> None:
    """A field's width must stand in the text and be small."""
    if fields and _WIDE.search(text):
        raise TooLargeError
    longest = max((len(str(argument)) for argument in arguments), default=0)
    _check_size(len(text) + fields * (longest + _MAX_WIDTH))


def _check_size(size: int) -> None:
    if size > LIMIT:
        raise TooLargeError
