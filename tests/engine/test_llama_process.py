"""A process that ends while llama.cpp works, and one that is interrupted."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.tiny_gguf import write_tiny_gguf

BEGIN = """
import sys
from pathlib import Path
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.model import Generation
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
model = LlamaModel(Path(sys.argv[1]), EngineOptions(window=100_000, threads=1, threads_batch=1))
list(model.load(Cancel()))
"""
ANSWER = (
    BEGIN + "events = model.generate(Generation((1, 2, 3), Sampling(), 99_000), Cancel())\nnext(events)\n"
)


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    return str(write_tiny_gguf(tmp_path / "tiny.gguf"))


def run(code: str, model: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, model], capture_output=True, text=True, cwd=ROOT, check=False, timeout=60
    )


@pytest.mark.parametrize(
    "code",
    [BEGIN, ANSWER, ANSWER + "sys.exit(3)", ANSWER + "sys.modules.clear()"],
    ids=["loaded", "answering", "exit in an answer", "modules gone in an answer"],
)
def test_a_process_that_ends_with_a_model_ends_quietly(tiny: str, code: str) -> None:
    done = run(code, tiny)
    assert (done.returncode, done.stdout, done.stderr) == (3 if "exit" in code else 0, "", "")


def test_an_exception_in_the_middle_of_an_answer_ends_the_process_with_itself(tiny: str) -> None:
    done = run(ANSWER + "raise RuntimeError('mine')", tiny)
    assert done.returncode == 1
    assert done.stderr.endswith("RuntimeError: mine\n")


def test_an_interrupt_ends_an_answer_where_nobody_catches_it(tiny: str) -> None:
    code = ANSWER + "print('begun', flush=True)\nfor event in events: pass"
    process = subprocess.Popen(
        [sys.executable, "-c", code, tiny],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert told.endswith("KeyboardInterrupt\n")
    assert process.returncode == -signal.SIGINT


def test_two_models_live_side_by_side(tiny: str) -> None:
    code = BEGIN + (
        "other = LlamaModel(Path(sys.argv[1]), EngineOptions(window=512, threads=1))\n"
        "list(other.load(Cancel()))\n"
        "ask = lambda m: list(m.generate(Generation((1, 2, 3), Sampling(temperature=0), 20), Cancel()))[-1]\n"
        "assert ask(model) == ask(other)\nmodel.close()\nassert ask(other).text_ids"
    )
    done = run(code, tiny)
    assert (done.returncode, done.stderr) == (0, "")
