"""`models pull` against a hub on loopback, and no connection from anything else."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.conftest import ROOT
from tests.support.hub import Drop, Hub, Refuse, running_hub
from tests.support.tiny_gguf import Shape, write_tiny_gguf

Run = Callable[..., Ran]
REPO = "maker/Tiny-GGUF"
GUARD = """
import os, sys
def guard(event, arguments):
    unix = event == "socket.connect" and isinstance(arguments[1], (str, bytes))
    if event in ("socket.getaddrinfo", "socket.connect") and not unix:
        with open(os.environ["CONNECTIONS"], "a") as file:
            file.write(f"{event} {arguments[1:]} by {sys.argv}\\n")
        raise ConnectionError("no connection is allowed here")
sys.addaudithook(guard)
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    content = write_tiny_gguf(tmp_path / "content", Shape(says="Helo wrd", template=None)).read_bytes()
    with running_hub() as hub:
        hub.repos[REPO] = {"tiny-Q4_K_M.gguf": content, "tiny-Q8_0.gguf": content}
        yield hub


def test_a_model_is_pulled_by_name_and_answers_without_a_connection(run: Run, hub: Hub, home: Path) -> None:
    hub.file_faults = [Drop(100_000)]
    pulled = run("models", "pull", f"{REPO}:Q4_K_M", HF_ENDPOINT=hub.endpoint)
    path = home / "data/ctxchat/models" / REPO / "tiny-Q4_K_M.gguf"
    assert (pulled.returncode, pulled.stdout) == (0, f"{path}\n")
    assert f"ctxchat: {REPO}:Q4_K_M, " in pulled.stderr
    assert "; going on in 0." in pulled.stderr
    assert "100 %, " in pulled.stderr
    assert f"`ctxchat models use {path}`" in pulled.stderr
    asked = len(hub.seen)
    listed = json.loads(run("models", "list", "--json", HF_ENDPOINT=hub.endpoint).stdout)
    assert [model["source"] for model in listed if model["name"] == "tiny-Q4_K_M"] == ["ctxchat"]
    again = run("models", "pull", f"{REPO}:Q4_K_M", HF_ENDPOINT=hub.endpoint)
    assert (again.returncode, again.stdout) == (0, f"{path}\n")
    assert "it is here already" in again.stderr
    assert len(hub.seen) == asked + 1
    for name in (f"{REPO}:q4_k_m", REPO, "tiny-Q4"):
        plan = run("ask", "-n", "--offline", "--dry-run", "--json", "-m", name, "hello")
        assert json.loads(plan.stdout)["model"]["path"] == str(path), plan.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("models", "pull", "--offline", REPO), 3, "no connection is allowed"),
        (("models", "pull", "maker/Tony-GGUF"), 3, f"did you mean {REPO}?"),
        (("models", "pull", "tiny"), 2, "name ORG/REPO"),
        (
            ("ask", "-m", "maker/Other-GGUF", "hello"),
            3,
            "`ctxchat models pull maker/Other-GGUF` would get it",
        ),
    ],
)
def test_what_cannot_be_pulled_is_one_line(
    run: Run, hub: Hub, words: tuple[str, ...], code: int, said: str
) -> None:
    ended = run(*words, HF_ENDPOINT=hub.endpoint)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_the_variable_of_the_hub_keeps_offline_too(run: Run, hub: Hub) -> None:
    ended = run("models", "pull", REPO, HF_ENDPOINT=hub.endpoint, HF_HUB_OFFLINE="1")
    assert ended.returncode == 3
    assert hub.seen == []


def test_a_hub_that_is_busy_is_waited_for(run: Run, hub: Hub) -> None:
    hub.api_faults = [Refuse(429, {"Retry-After": "1"})]
    ended = run("models", "pull", f"{REPO}:Q8_0", HF_ENDPOINT=hub.endpoint)
    assert ended.returncode == 0
    assert "the server answered 429; going on in 1.00 s" in ended.stderr


def test_no_other_command_makes_a_connection(run_anew: Run, home: Path, tmp_path: Path) -> None:
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard/sitecustomize.py").write_text(GUARD)
    connections = tmp_path / "connections"
    model = str(write_tiny_gguf(tmp_path / "tiny.gguf"))
    (tmp_path / "note.md").write_text("# Harbour\n\nThe keeper of the lamp is called Arne.\n")
    guarded = {
        "PYTHONPATH": f"{tmp_path / 'guard'}:{ROOT}",
        "CONNECTIONS": str(connections),
        "CTXCHAT_MODEL_PATH": model,
        "CTXCHAT_MODEL_CTX_SIZE": "512",
    }
    assert run_anew("models", "pull", REPO, HF_ENDPOINT="http://127.0.0.1:9", **guarded).returncode == 3
    assert "socket." in connections.read_text()
    connections.unlink()
    commands = [
        ("ask", "--max-tokens", "4", "Who keeps the lamp?"),
        ("plan", "hello"),
        ("notes", "add", "note.md"),
        ("notes", "search", "lamp"),
        ("ask", "-c", "--max-tokens", "4", "Who is Arne?"),
        ("memory", "add", "My server runs Debian."),
        ("sessions", "list"),
        ("models", "list"),
        ("models", "info", model),
        ("models", "use", model),
        ("models", "pull", "--offline", REPO),
        ("config", "show"),
        ("doctor",),
    ]
    for words in commands:
        ended = run_anew(*words, **guarded)
        assert ended.returncode in ((0, 1) if words == ("doctor",) else (3,) if "pull" in words else (0,)), (
            ended
        )
        assert not connections.exists(), connections.read_text()


def test_names_of_models_are_completed(run: Run, environment: dict[str, str], home: Path) -> None:
    folder = home / "data/ctxchat/models"
    folder.mkdir(parents=True)
    for name in ("qwen-4b", "qwen-8b", "gemma"):
        (folder / f"{name}.gguf").write_bytes(b"")
    for line in ("ctxchat models use qwen", "ctxchat ask -m qwen"):
        asked = {"COMP_WORDS": line, "COMP_CWORD": "3", "_CTXCHAT_COMPLETE": "complete_bash"}
        assert run(**asked).stdout.split() == ["qwen-4b", "qwen-8b"]
