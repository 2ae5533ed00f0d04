"""Servers for the tests of the engine that speaks to them: doubles, and real ones where they are."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers.backing import Backing
from tests.support.servers.double import running
from tests.support.servers.llama_double import LlamaDouble
from tests.support.servers.openai_double import OpenAiDouble
from tests.support.servers.real import (
    LLAMA_SERVER,
    VLLM_URL,
    RealServer,
    llama_cpp_python_server,
    llama_server,
    server_python,
)
from tests.support.servers.vllm_double import VllmDouble
from tests.support.tiny_gguf import write_tiny_gguf

WINDOW = 512


@pytest.fixture(scope="session")
def served_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of 1 MB, the one that doubles and the tiny real server run."""
    return write_tiny_gguf(tmp_path_factory.mktemp("served") / "tiny.gguf")


@pytest.fixture(scope="session")
def backing(served_gguf: Path) -> Iterator[Backing]:
    """The model behind the doubles: loaded once, whatever the dialects."""
    backing = Backing(served_gguf, WINDOW)
    yield backing
    backing.close()


@pytest.fixture
def llama_double(backing: Backing) -> Iterator[LlamaDouble]:
    double = LlamaDouble(backing)
    with running(double):
        yield double


@pytest.fixture
def vllm_double(backing: Backing) -> Iterator[VllmDouble]:
    double = VllmDouble(backing)
    with running(double):
        yield double


@pytest.fixture
def openai_double(backing: Backing) -> Iterator[OpenAiDouble]:
    double = OpenAiDouble(backing)
    with running(double):
        yield double


@pytest.fixture(scope="session")
def tiny_llama_server(served_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """A real llama-server with the tiny model and the window of the doubles."""
    folder = tmp_path_factory.mktemp("llama-server")
    with llama_server(_llama_server(), served_gguf, folder, window=WINDOW) as server:
        yield server


@pytest.fixture(scope="session")
def smollm2_llama_server(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """A real llama-server with SmolLM2."""
    folder = tmp_path_factory.mktemp("llama-server")
    with llama_server(_llama_server(), smollm2, folder, window=4096) as server:
        yield server


@pytest.fixture(scope="session")
def python_server(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """llama-cpp-python's own OpenAI server with SmolLM2."""
    python = server_python()
    if python is None:
        pytest.skip("the server of llama-cpp-python is not installed: pip install 'llama-cpp-python[server]'")
    folder = tmp_path_factory.mktemp("python-server")
    with llama_cpp_python_server(python, smollm2, folder, window=4096) as server:
        yield server


@pytest.fixture(scope="session")
def vllm_url() -> str:
    """Where a real vLLM listens."""
    url = os.environ.get(VLLM_URL)
    if not url:
        pytest.skip(f"{VLLM_URL} does not say where a vLLM listens")
    return url


def _llama_server() -> str:
    program = os.environ.get(LLAMA_SERVER)
    if not program:
        pytest.skip(f"{LLAMA_SERVER} does not say where llama-server lies")
    return program
