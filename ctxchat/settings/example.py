"""The example settings file, made from the schema: every key with its comment and its default."""

import json
import textwrap
from collections.abc import Iterator

from ctxchat.settings.key import Key
from ctxchat.settings.schema import MODEL_KEYS, SCHEMA

_HEAD = """\
# Settings of ctxchat. Lines that begin with "# " and a key show its default, or an example where
# there is none; take the "#" away to set it. `ctxchat config show` says what holds and why.
# Stronger than this file are ./ctxchat.toml, variables such as CTXCHAT_MODEL_PATH, and flags.
"""


def example_toml() -> str:
    """The text of `config.example.toml`."""
    return "\n".join([_HEAD, *_lines()])


def toml_value(value: object) -> str:
    """A value of a setting as TOML writes it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list() | tuple():
            return f"[{', '.join(map(toml_value, value))}]"
        case _:
            return str(value)


def _lines() -> Iterator[str]:
    for section, keys in SCHEMA.items():
        if keys:
            yield f"[{section}]"
            for key in keys.values():
                yield from _entry(key)
            yield ""
        if section == "context":
            yield f"## For models whose name matches a pattern: {', '.join(MODEL_KEYS)}."
            yield '## [context.models."SmolLM2*"]'
            yield "## compact_at = 0.7"
            yield ""


def _entry(key: Key) -> Iterator[str]:
    unset = key.default is None or key.default == ()
    yield from (f"## {line}" for line in textwrap.wrap(key.doc, 96))
    yield f"# {key.name} = {toml_value(key.example if unset else key.default)}"
