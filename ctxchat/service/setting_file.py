"""One setting changed in the person's settings file, and all else in it left as it is."""

import os
import tempfile
from pathlib import Path

from ctxchat.domain.errors import SettingsError, StoreError
from ctxchat.locations import private_folder


def write_setting(key: str, value: object, settings_file: Path) -> None:
    """Write the value of `section.key` into a settings file, or take the key out where it is None.
    Comments stay. Raises SettingsError where the file cannot be read or written."""
    target = settings_file.resolve()
    text = _with_value(settings_file, _read(target, settings_file), key, value)
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


def _with_value(settings_file: Path, text: str, key: str, value: object) -> str:
    import tomlkit
    from tomlkit.exceptions import ParseError, TOMLKitError

    section_name, name = key.split(".")
    try:
        document = tomlkit.parse(text)
        section = document.setdefault(section_name, tomlkit.table())
        if not hasattr(section, "setdefault"):
            raise SettingsError(f"{settings_file}: {section_name}: must be a section, [{section_name}]")
        if value is not None:
            section[name] = list(value) if isinstance(value, tuple) else value
        elif name in section:
            del section[name]
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
