"""Chroma as a library: imported so that nothing around it is read, and its failures as one error."""

import importlib
import importlib.util
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ctxchat.domain.errors import StoreError

_PACKAGE = "chromadb"


class IndexFailedError(Exception):
    """Chroma could not read or write its folder."""


@contextmanager
def failures_told() -> Iterator[None]:
    """Whatever Chroma raises, as IndexFailedError: its panics derive from BaseException."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        raise IndexFailedError(" ".join(str(error).split())) from error


@cache
def library() -> Any:
    """The package. Raises StoreError where it cannot be imported.

    While it is imported it reads a file `.env` of the folder one happens to be in, and stumbles over
    what others keep there. Its settings are therefore imported first, below an empty stand-in for
    the package, and told to read none.
    """
    try:
        _settings().model_config["env_file"] = None
        return importlib.import_module(_PACKAGE)
    except (ImportError, ValueError, RuntimeError, OSError) as error:
        line = " ".join(str(error).split())
        raise StoreError(
            f"chromadb cannot be loaded ({line}): pip install --force-reinstall chromadb"
        ) from error


def client(folder: Path) -> Any:
    """A client on a folder, which it makes. Nothing is sent, and no host is looked up."""
    settings = _settings()(
        anonymized_telemetry=False, chroma_otel_collection_endpoint="", allow_reset=False, migrations="apply"
    )
    return library().PersistentClient(path=str(folder), settings=settings)


def server_api(url: str, headers: dict[str, str]) -> Any:
    """The half of Chroma's HTTP client that asks a server. Nothing is asked yet."""
    settings = _settings()(
        chroma_api_impl="chromadb.api.fastapi.FastAPI",
        chroma_server_host=url,
        chroma_server_http_port=0,  # asked for, and not used: the address has one
        chroma_server_headers=headers,
        # Certificates, which take long to load, are of no use to a connection without them.
        chroma_server_ssl_verify=None if url.startswith("https:") else False,
        anonymized_telemetry=False,
        chroma_otel_collection_endpoint="",
    )
    library()
    from chromadb.api import ServerAPI
    from chromadb.config import System

    return System(settings).instance(ServerAPI)  # type: ignore[type-abstract]


def _settings() -> Any:
    name = f"{_PACKAGE}.config"
    if name not in sys.modules:
        spec = importlib.util.find_spec(_PACKAGE)
        if spec is None or spec.submodule_search_locations is None:
            raise ImportError("it is not installed")
        stand_in = types.ModuleType(_PACKAGE)
        stand_in.__path__ = list(spec.submodule_search_locations)
        sys.modules[_PACKAGE] = stand_in
        try:
            importlib.import_module(name)
        finally:
            del sys.modules[_PACKAGE]
    return sys.modules[name].Settings
