"""Which libraries a command loads, and in which order: llama.cpp's OpenMP must come before numpy's."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran, variables
from tests.support.tiny_gguf import write_tiny_gguf

WATCHED = """
import atexit, sys

seen = {}

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in ("numpy", "chromadb") and name not in seen:
            seen[name] = "libllama" in open("/proc/self/maps").read()

sys.meta_path.insert(0, Watch())
atexit.register(lambda: print("\\0" + __import__("json").dumps(seen), file=sys.stderr))
from ctxchat.__main__ import main
main()
"""

Watched = Callable[..., dict[str, bool]]


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """Libraries come in the same order whatever the model."""
    model = write_tiny_gguf(home / "tiny.gguf")
    return variables(home) | {"CTXCHAT_MODEL_PATH": str(model), "CTXCHAT_MODEL_CTX_SIZE": "1024"}


@pytest.fixture
def watched(home: Path, environment: dict[str, str]) -> Watched:
    """Run a command; says of numpy and chromadb, if they were imported, whether llama.cpp was there."""

    def call(*words: str) -> dict[str, bool]:
        ended = subprocess.run(
            [sys.executable, "-c", WATCHED, *words],
            env=environment,
            cwd=home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=100,
        )
        found: dict[str, bool] = json.loads(ended.stderr.rpartition("\0")[2])
        return found

    return call


@pytest.fixture
def talked(run: Callable[..., Ran]) -> str:
    """A conversation whose oldest turn is folded."""
    lines = [
        json.dumps({"role": role, "text": text})
        for role, text in (
            ("user", "The heron nests behind the old mill."),
            ("assistant", "I see."),
            ("user", "And the boat lies at the third willow."),
            ("assistant", "Good to know."),
        )
    ]
    id_ = run("sessions", "import", "-", stdin="\n".join(lines).encode()).stdout.strip()
    assert run("compact", "--session", id_).returncode == 0
    return id_


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="what is loaded is read from /proc")
def test_llama_cpp_comes_first_and_chroma_only_where_there_are_notes(
    watched: Watched, run: Callable[..., Ran], talked: str, home: Path
) -> None:
    ask = ("ask", "--session", talked, "--max-tokens", "2", "Where does the heron nest?")
    assert watched("ask", "--max-tokens", "2", "Hello there, who is it?") == {}
    assert watched(*ask) == {"numpy": True}
    assert watched("sessions", "recall", talked, "heron") == {"numpy": True}
    assert watched("plan", "--session", talked, "Where does the heron nest?") == {"numpy": True}
    (home / "boat.md").write_text("# Boat\n\nThe red boat is moored at the third willow.\n")
    both = {"numpy": True, "chromadb": True}
    assert watched("notes", "add", "boat.md") == both
    assert watched("notes", "search", "boat") == both
    assert watched("memory", "add", "I like tea.") == both
    assert watched(*ask) == both
    assert watched("ask", "--no-memory", "--max-tokens", "2", "Where is the boat?") == {}
    assert watched("ask", "--max-tokens", "2", "Hello!") == {}
