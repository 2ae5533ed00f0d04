"""Choosing the model that is used where none is named."""

import os
import tempfile
from pathlib import Path

from ctxchat.domain.errors import SettingsError, StoreError
from ctxchat.locations import private_folder


def use_model(model: Path, settings_file: Path) -> None:
    """Write a model's path into a settings file and leave all else in it as it is, comments
    included. Raises SettingsError where the file cannot be read or written."""
    target = settings_file.resolve()
    text = _with_model(settings_file, _read(target, settings_file), model.absolute())
    try:
        private_folder(target.parent)
        _replace(target, text)
    except OSError as error:
        raise SettingsError(f"{settings_file}: cannot be written: {error.strerror}") from error
    except StoreError as error:
        raise SettingsError(f"{settings_file}: {error}") from error


def _read(target: Path, settings_file: Path) -> str:
    try:
        return target.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise SettingsError(f"{settings_file}: is not UTF-8") from error
    except OSError as error:
        raise SettingsError(f"{settings_file}: cannot be read: {error.strerror}") from error


def _with_model(settings_file: Path, text: str, model: Path) -> str:
    import tomlkit
    from tomlkit.exceptions import ParseError, TOMLKitError

    try:
        document = tomlkit.parse(text)
        section = document.setdefault("model", tomlkit.table())
        if not hasattr(section, "setdefault"):
            raise SettingsError(f"{settings_file}: model: must be a section, [model]")
        section["path"] = str(model)
    except ParseError as error:
        raise SettingsError(f"{settings_file}:{error.line}: {error}") from error
    except TOMLKitError as error:
        raise SettingsError(f"{settings_file}: {error}") from error
    return tomlkit.dumps(document)


def _replace(target: Path, text: str) -> None:
    """Put a text where a file was, all of it or nothing, readable by the same people (a new one
    by the person alone)."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".config-", suffix=".toml")
    written = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            written.chmod(target.stat().st_mode & 0o777)
        written.replace(target)
    except OSError:
        written.unlink(missing_ok=True)
        raise
