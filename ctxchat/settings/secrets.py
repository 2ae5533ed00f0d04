"""Secrets that settings only name: held by an environment variable, or said by a command."""

import os
import shlex
import subprocess

from ctxchat.domain.errors import UsageError

_SECONDS = 30.0
"""A password manager may have to ask the person first."""


def secret(env: str | None, command: str | None) -> str | None:
    """The value of an environment variable; where it is not set, or none is named, the first line that a
    command prints, run without a shell. None where neither is named. Raises UsageError, which names what
    was looked at and never what it said."""
    if env and (value := os.environ.get(env, "").strip()):
        return _checked(value, f"the environment variable {env}")
    if command:
        return _checked(_said_by(command), "what the key_command prints")
    if env:
        raise UsageError(
            f"the environment variable {env} is not set, and the settings name it for a key: set it"
        )
    return None


def _said_by(command: str) -> str:
    try:
        words = shlex.split(command)
        ended = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=True
        )
        lines = ended.stdout.decode().splitlines()
    except (OSError, ValueError, IndexError) as error:
        # Neither the command nor what it printed: either may hold the key.
        reason = error.strerror if isinstance(error, OSError) else "it cannot be read as a command or as text"
        raise _failed(str(reason)) from None
    except subprocess.TimeoutExpired:
        raise _failed(f"it has not ended after {_SECONDS:.0f} s") from None
    except subprocess.CalledProcessError as error:
        raise _failed(f"it exited with {error.returncode}") from None
    if not lines or not lines[0].strip():
        raise _failed("it printed nothing")
    return lines[0].strip()


def _failed(reason: str) -> UsageError:
    return UsageError(f"the key_command of the settings gave no key: {reason}; run it by hand to see why")


def _checked(value: str, where: str) -> str:
    """A key goes into a header: one that cannot would be told in the words of a library, key and all."""
    if not value.isascii() or not value.isprintable():
        raise UsageError(f"{where} holds no key: it has characters that no header can carry")
    return value
