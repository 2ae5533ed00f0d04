"""Loading llama.cpp: light, quiet, and out of the way of whoever wants the whole package."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ctxchat.domain.errors import ModelError
from ctxchat.engine.llama import bindings
from tests.conftest import ROOT

LOAD = "from ctxchat.engine.llama.bindings import library; lib = library()"


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if name not in bindings.ENVIRONMENT}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=variables | environment,
        check=False,
    )


def test_the_bindings_bring_neither_numpy_nor_jinja() -> None:
    done = run(
        f"import sys; {LOAD};"
        "print(sorted({'numpy', 'jinja2', 'diskcache', 'llama_cpp'} & set(sys.modules)))"
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_whole_package_can_still_be_imported_and_shares_the_library() -> None:
    done = run(
        f"{LOAD}; import llama_cpp;"
        "print(llama_cpp.Llama.__name__, llama_cpp.llama_decode is lib.llama_decode)"
    )
    assert done.stdout == "Llama True\n", done.stderr


def test_a_package_that_was_imported_before_is_used_as_it_is() -> None:
    done = run(f"import llama_cpp; {LOAD}; print(lib.llama_decode is llama_cpp.llama_decode)")
    assert done.stdout == "True\n", done.stderr


def test_waiting_threads_soon_sleep_unless_the_person_says_otherwise() -> None:
    code = f"import os; {LOAD}; print(os.environ['GOMP_SPINCOUNT'])"
    assert run(code).stdout == "300\n"
    assert run(code, GOMP_SPINCOUNT="0").stdout == "0\n"


def test_what_llama_cpp_says_reaches_no_stream_even_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "no.gguf").write_bytes(b"GGUFnonsense")
    path = str(tmp_path / "no.gguf").encode()
    fail = f"lib.llama_model_load_from_file({path!r}, lib.llama_model_default_params())"
    done = run(
        f"{LOAD}; from ctxchat.engine.llama.log import LOG; {fail}; print(LOG.first_error() is not None);"
        f"import atexit; atexit._run_exitfuncs(); {fail}"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_a_missing_package_is_told_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bindings, "PACKAGE", "llama_cpp_that_nobody_has")
    with pytest.raises(ModelError, match="pip install llama-cpp-python"):
        bindings._import_bindings()
