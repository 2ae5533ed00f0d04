"""Where the program keeps things, by the platform's rules (`XDG_*` on Linux).

Nothing is created by asking for a path: whoever writes makes the folder with `private_folder`.
"""

from pathlib import Path

from ctxchat.domain.errors import StoreError

_NAME = "ctxchat"


def data_folder() -> Path:
    """Conversations and models."""
    import platformdirs

    return platformdirs.user_data_path(_NAME, appauthor=False)


def models_folder() -> Path:
    return data_folder() / "models"


def config_folder() -> Path:
    """Settings and the person's own prompt files."""
    import platformdirs

    return platformdirs.user_config_path(_NAME, appauthor=False)


def cache_folder() -> Path:
    """What can be made again."""
    import platformdirs

    return platformdirs.user_cache_path(_NAME, appauthor=False)


def state_folder() -> Path:
    """Logs and locks."""
    import platformdirs

    return platformdirs.user_state_path(_NAME, appauthor=False)


def private_folder(path: Path) -> Path:
    """Make a folder, and those above it that are missing, for the person alone (0700).

    Raises StoreError where it cannot be made.
    """
    try:
        for folder in (*reversed(path.parents), path):
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
        if not path.is_dir():
            raise NotADirectoryError(20, "Not a directory")
    except OSError as error:
        raise StoreError(f"cannot make the folder {path}: {error.strerror}") from error
    return path
