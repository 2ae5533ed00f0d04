"""What an answer must look like, as the flags say it."""

from pathlib import Path

from ctxchat.cli.input import readable
from ctxchat.cli.options import TurnFlags
from ctxchat.domain.constraint import Constraint
from ctxchat.domain.errors import UsageError


def constraint_of(flags: TurnFlags) -> Constraint | None:
    """The constraint of `--schema` or `--grammar`, None without them. Raises UsageError for one that
    cannot be read or held."""
    if flags.schema is None and flags.grammar is None:
        return None
    from ctxchat.service.wiring.constraints import grammar_constraint, schema_constraint

    flag = "--grammar" if flags.schema is None else "--schema"
    try:
        if flags.schema is None:
            return grammar_constraint(_text(flags.grammar or ""))
        written = flags.schema.lstrip().startswith("{")
        return schema_constraint(readable(flags.schema) if written else _text(flags.schema))
    except UsageError as error:
        raise UsageError(f"{flag}: {error}") from error


def _text(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{readable(name)} is not UTF-8") from error
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{readable(name)}: {what}") from error
