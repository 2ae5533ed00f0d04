"""Settings from flags, variables, files and defaults, in this order, each with its origin.

Everything that is wrong is found before anything is said: one line for each problem.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType

from ctxchat.domain.errors import SettingsError
from ctxchat.domain.sampling import Sampling
from ctxchat.settings.kinds import RefusedError
from ctxchat.settings.notes import NotesSettings
from ctxchat.settings.schema import (
    KEYS,
    MODEL_KEYS,
    SCHEMA,
    ContextSettings,
    KvSettings,
    ModelSettings,
    Settings,
    key_of,
    named_server,
)
from ctxchat.settings.server import KEY_VARIABLE, ServerSettings

PROJECT_FILE = "ctxchat.toml"
_UNTRUSTED = "is not taken from a project file: put it into your own settings, or the environment"
_NONE: Mapping[str, object] = MappingProxyType({})


@dataclass(slots=True)
class _Merged:
    """Values by `section.key`, the later source over the earlier, and what was wrong with any."""

    values: dict[str, object] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=lambda: dict.fromkeys(KEYS, "default"))
    problems: list[str] = field(default_factory=list)
    by_model: dict[str, dict[str, object]] = field(default_factory=dict)

    def put(self, path: str, value: object, origin: str, *, typed: bool) -> None:
        """Take a value: `typed` as TOML gives it, else the text or number of a flag or variable."""
        key = key_of(path)
        if key is None:
            self.problems.append(f"{origin}: {path}: {_unknown(path)}")
            return
        try:
            self.values[path] = (
                key.kind.accept(value) if typed or not isinstance(value, str) else key.kind.read(value)
            )
            self.origins[path] = origin
        except RefusedError as refusal:
            self.problems.append(f"{origin}: {path}: {refusal}")
        except ValueError:
            self.problems.append(f"{origin}: {path}: must be {key.kind.wants}, not {value!r}")

    def put_for_model(self, pattern: str, name: str, value: object, origin: str) -> None:
        """Take a value of `[context.models."PATTERN"]`."""
        path = f"context.models.{pattern}.{name}"
        if name not in MODEL_KEYS:
            self.problems.append(f"{origin}: {path}: unknown key; there are {', '.join(MODEL_KEYS)}")
            return
        kind = KEYS[f"context.{name}"].kind
        try:
            self.by_model.setdefault(pattern, {})[name] = kind.accept(value)
        except ValueError:
            self.problems.append(f"{origin}: {path}: must be {kind.wants}, not {value!r}")

    def section(self, name: str, schema: str | None = None) -> dict[str, object]:
        """The values of a section, whose keys are those of the schema's section of another name for a
        server that has one."""
        keys = SCHEMA[schema or name]
        return {key: self.values[f"{name}.{key}"] for key in keys if f"{name}.{key}" in self.values}

    def servers(self) -> dict[str, ServerSettings]:
        """The servers of `[server.NAME]`."""
        names = dict.fromkeys(found[0] for path in self.values if (found := named_server(path)))
        return {name: ServerSettings(**self.section(f"server.{name}", "server")) for name in names}  # type: ignore[arg-type]


def load_settings(
    flags: Mapping[str, object] = _NONE,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    *,
    offline: bool = False,
) -> Settings:
    """The settings of this run, which makes no connection where it is `offline`. `flags` maps
    `section.key` to what was typed, its text or number.

    Raises SettingsError with a line for each problem found in any source.
    """
    environ = os.environ if environ is None else environ
    merged = _Merged()
    for file in settings_files(environ, cwd or Path.cwd()):
        try:
            _put_file(merged, file, own=file == user_file(environ))
        except SettingsError as error:
            merged.problems.append(str(error))
    _put_variables(merged, environ)
    for path, value in flags.items():
        merged.put(path, value, KEYS[path].flag if path in KEYS else f"-o {path.split('.')[-1]}", typed=False)
    if merged.problems:
        raise SettingsError("\n".join(merged.problems))
    return Settings(
        ModelSettings(**merged.section("model")),  # type: ignore[arg-type]
        Sampling(**merged.section("sampling")),  # type: ignore[arg-type]
        ContextSettings(**merged.section("context")),  # type: ignore[arg-type]
        KvSettings(**merged.section("kv")),  # type: ignore[arg-type]
        NotesSettings(**merged.section("notes")),  # type: ignore[arg-type]
        ServerSettings(**merged.section("server")),  # type: ignore[arg-type]
        merged.servers(),
        merged.origins,
        merged.by_model,
        offline,
    )


def user_file(environ: Mapping[str, str] | None = None) -> Path:
    """The person's settings file, existing or not."""
    named = (os.environ if environ is None else environ).get("CTXCHAT_CONFIG")
    if named:
        return Path(named).expanduser()
    from ctxchat import locations

    return locations.config_folder() / "config.toml"


def settings_files(environ: Mapping[str, str], cwd: Path) -> Iterator[Path]:
    """The files to read, the weaker first. One that CTXCHAT_CONFIG names is read even where it
    does not exist, so that its absence is told."""
    user = user_file(environ)
    if environ.get("CTXCHAT_CONFIG") or user.exists():
        yield user
    project = cwd / PROJECT_FILE
    if project.exists():
        yield project


def _put_file(merged: _Merged, file: Path, *, own: bool) -> None:
    """Take the values of a file: the person's own, or that of a project, which is not trusted with all."""
    from ctxchat.settings.toml_file import read_toml

    sections, lines = read_toml(file)
    for section, values in sections.items():
        place = f"{file}:{lines.get(section) or _first_line(lines, section)}"
        if section not in SCHEMA:
            merged.problems.append(f"{place}: {section}: {_unknown(section)}")
        elif not isinstance(values, dict):
            merged.problems.append(
                f"{place}: {section}: is a section: write [{section}] on a line of its own"
            )
        else:
            if section == "context":
                _put_models(merged, values.pop("models", {}), place)
            for path, value in _paths(section, values):
                line = lines.get(path) or _first_line(lines, path) or lines.get(section, 1)
                if not own and (key := key_of(path)) and key.trusted:
                    merged.problems.append(f"{file}:{line}: {path}: {_UNTRUSTED}")
                else:
                    merged.put(path, value, f"{file}:{line}", typed=True)


def _paths(section: str, values: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Values by `section.key`, and those of a table in `[server]` that is no key by `server.NAME.key`."""
    for name, value in values.items():
        if section == "server" and isinstance(value, dict) and name not in SCHEMA["server"]:
            yield from ((f"server.{name}.{key}", inner) for key, inner in value.items())
        else:
            yield f"{section}.{name}", value


def _put_models(merged: _Merged, models: object, place: str) -> None:
    if not isinstance(models, dict) or not all(isinstance(values, dict) for values in models.values()):
        merged.problems.append(f'{place}: context.models: write [context.models."NAME"] with keys below it')
        return
    for pattern, values in models.items():
        for name, value in values.items():
            merged.put_for_model(pattern, name, value, place)


def _first_line(lines: Mapping[str, int], name: str) -> int:
    """The first line of anything below `name`, where it has no line of its own; 0 without one."""
    return min((line for path, line in lines.items() if path.startswith(f"{name}.")), default=0)


def _put_variables(merged: _Merged, environ: Mapping[str, str]) -> None:
    for variable, text in sorted(environ.items()):
        prefix, _, rest = variable.partition("_")
        section, _, name = rest.lower().partition("_")
        if prefix == "CTXCHAT" and name and section in SCHEMA and text and variable != KEY_VARIABLE:
            merged.put(f"{section}.{name}", text, variable, typed=False)


def _unknown(path: str) -> str:
    if path.startswith("server.") and path.endswith(".key"):
        return (
            "a key has no place in a settings file: name the environment variable that holds it with "
            "key_env, or a command that prints it with key_command"
        )
    if named := named_server(path):
        path = f"server.{named[1]}"
    section, _, name = path.partition(".")
    what, known = ("key", list(SCHEMA[section])) if name else ("section", list(SCHEMA))
    near = get_close_matches(name or section, known, 1, 0.5)
    if near:
        return f'unknown {what}; did you mean "{near[0]}"?'
    elsewhere = [key.path for key in KEYS.values() if name and key.name == name]
    return f"unknown {what}" + (f"; did you mean {elsewhere[0]}?" if elsewhere else "")
