"""Commands that parse into one dataclass.

The fields of the dataclass are `Annotated` typer options; `takes` gives the command a signature
made of them, so that several commands can share their flags.
"""

import inspect
from collections.abc import Callable, Collection
from dataclasses import MISSING, Field, fields
from functools import wraps
from typing import Annotated, Any, TypeVar, get_args

from typer import Context
from typer.core import TyperCommand, TyperOption

from ctxchat.domain.errors import UsageError

Flags = TypeVar("Flags")
PAIR = "KEY VALUE"


def takes(
    flags: type[Flags], *, without: Collection[str] = (), group: bool = False
) -> Callable[[Callable[[Flags], None]], Callable[..., None]]:
    """Turn a function of one dataclass into one of its fields, which typer can read. Fields that the
    command goes `without` keep their defaults. A `group` is run where none of its commands is named, and
    its flags are refused before one."""

    def decorate(function: Callable[[Flags], None]) -> Callable[..., None]:
        @wraps(function)
        def command(context: Context | None = None, **values: object) -> None:
            told, named = flags(**values), context.invoked_subcommand if context else None
            if named is None:
                function(told)
            elif told != flags():
                raise UsageError(f"flags of `{named}` come behind it")

        taken = [item for item in fields(flags) if item.name not in without]  # type: ignore[arg-type]
        parameters = [_CONTEXT] * group + [_parameter(item) for item in taken]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        return command

    return decorate


_CONTEXT = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=Context)


class PairedCommand(TyperCommand):
    """A command whose pairs take two values: typer itself knows no list of tuples."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for option in self.params:
            if isinstance(option, TyperOption) and option.metavar == PAIR:
                option.nargs = 2


def _parameter(item: Field[Any]) -> inspect.Parameter:
    default = item.default if item.default_factory is MISSING else item.default_factory()
    annotation = item.type
    kind, *extras = get_args(annotation)
    if kind == list[tuple[str, str]]:
        annotation = Annotated[list[str], *extras]
    return inspect.Parameter(
        item.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )
