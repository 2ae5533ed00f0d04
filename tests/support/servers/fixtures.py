"""Servers for tests: doubles over a real model, and real ones where they are. A plugin of pytest; what is
heavy is imported by the fixture that needs it."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.servers.backing import Backing
    from tests.support.servers.llama_double import LlamaDouble
    from tests.support.servers.openai_double import OpenAiDouble
    from tests.support.servers.real import RealServer
    from tests.support.servers.vllm_double import VllmDouble

WINDOW = 512
LONG_WINDOW = 4096


@pytest.fixture(scope="session")
def served_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of 1 MB, the one that doubles and the tiny real server run."""
    from tests.support.tiny_gguf import write_tiny_gguf

    return write_tiny_gguf(tmp_path_factory.mktemp("served") / "tiny.gguf")


@pytest.fixture(scope="session")
def backing(served_gguf: Path) -> "Iterator[Backing]":
    """The model behind the doubles: loaded once, whatever the dialects."""
    from tests.support.servers.backing import Backing

    backing = Backing(served_gguf, WINDOW)
    yield backing
    backing.close()


@pytest.fixture(scope="session")
def smollm2_backing(smollm2: Path) -> "Iterator[Backing]":
    """SmolLM2, for a double that is made by the test: `with running(VllmDouble(smollm2_backing)):`."""
    from tests.support.servers.backing import Backing

    backing = Backing(smollm2, LONG_WINDOW)
    yield backing
    backing.close()


@pytest.fixture
def llama_double(backing: "Backing") -> "Iterator[LlamaDouble]":
    from tests.support.servers.double import running
    from tests.support.servers.llama_double import LlamaDouble

    with running(LlamaDouble(backing)) as double:
        yield double


@pytest.fixture
def vllm_double(backing: "Backing") -> "Iterator[VllmDouble]":
    from tests.support.servers.double import running
    from tests.support.servers.vllm_double import VllmDouble

    with running(VllmDouble(backing)) as double:
        yield double


@pytest.fixture
def openai_double(backing: "Backing") -> "Iterator[OpenAiDouble]":
    from tests.support.servers.double import running
    from tests.support.servers.openai_double import OpenAiDouble

    with running(OpenAiDouble(backing)) as double:
        yield double


@pytest.fixture(scope="session")
def tiny_llama_server(served_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[RealServer]":
    """A real llama-server with the tiny model and the window of the doubles."""
    with _llama_server(served_gguf, tmp_path_factory, WINDOW) as server:
        yield server


@pytest.fixture(scope="session")
def smollm2_llama_server(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[RealServer]":
    """A real llama-server with SmolLM2."""
    with _llama_server(smollm2, tmp_path_factory, LONG_WINDOW) as server:
        yield server


@pytest.fixture(scope="session")
def python_server(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[RealServer]":
    """llama-cpp-python's own OpenAI server with SmolLM2."""
    from tests.support.servers.real import llama_cpp_python_server, server_python

    python = server_python()
    if python is None:
        pytest.skip("the server of llama-cpp-python is not installed: pip install 'llama-cpp-python[server]'")
    folder = tmp_path_factory.mktemp("python-server")
    with llama_cpp_python_server(python, smollm2, folder, window=LONG_WINDOW) as server:
        yield server


@pytest.fixture(scope="session")
def vllm_url() -> str:
    """Where a real vLLM listens that serves SmolLM2."""
    from tests.support.servers.real import VLLM_URL

    url = os.environ.get(VLLM_URL)
    if not url:
        pytest.skip(f"{VLLM_URL} does not say where a vLLM listens")
    return url.rstrip("/")


def _llama_server(
    model: Path, folders: pytest.TempPathFactory, window: int
) -> "AbstractContextManager[RealServer]":
    from tests.support.servers.real import LLAMA_SERVER, llama_server

    program = os.environ.get(LLAMA_SERVER)
    if not program:
        pytest.skip(f"{LLAMA_SERVER} does not say where llama-server lies")
    return llama_server(program, model, folders.mktemp("llama-server"), window=window)
