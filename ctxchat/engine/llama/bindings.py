"""The one door to llama.cpp: its ctypes bindings, and nothing of the package around them.

Importing `llama_cpp` as a whole costs 200 ms of CPU, most of it numpy and Jinja for a high-level
class that is not used here. Its bindings alone cost 30. They are imported below an empty stand-in
for the package, which is removed again, so that a later `import llama_cpp` still gets all of it.
"""

import atexit
import ctypes
import importlib
import importlib.util
import os
import sys
import types
from functools import cache
from typing import Any

from ctxchat.domain.errors import ModelError
from ctxchat.engine.llama.log import LOG

PACKAGE = "llama_cpp"

# OpenMP's threads spin for milliseconds at every barrier by default: as soon as one other process
# wants a core, the spinners keep the thread they wait for from running, and a token takes a second
# instead of 20 ms. Threads that sleep at once halve the speed of decoding on an idle machine. A few
# microseconds of spinning cover the barriers within a token, and cost little where a core is busy.
# Without a backtrace an abort inside llama.cpp does not start a debugger over the person's screen.
ENVIRONMENT = {"GOMP_SPINCOUNT": "300", "GGML_NO_BACKTRACE": "1"}


@cache
def library() -> Any:
    """The module of bindings, loaded once and quiet. Raises ModelError where it cannot be."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    bindings = _import_bindings()
    receive = bindings.llama_log_callback(LOG.receive)
    silence = ctypes.cast(c_library().abs, bindings.llama_log_callback)
    bindings.llama_log_set(receive, None)
    # A line that arrives after the interpreter has gone must not be given to it. The argument
    # `receive` is what keeps the callback alive until then.
    atexit.register(lambda _: bindings.llama_log_set(silence, None), receive)
    bindings.llama_backend_init()
    return bindings


@cache
def c_library() -> ctypes.CDLL:
    """The C library, whose functions stand in for callbacks that must not enter Python."""
    return ctypes.CDLL(None)


def _import_bindings() -> Any:
    if PACKAGE in sys.modules:
        return importlib.import_module(f"{PACKAGE}.llama_cpp")
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        raise ModelError("llama-cpp-python is not installed: pip install llama-cpp-python")
    package = types.ModuleType(PACKAGE)
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules[PACKAGE] = package
    try:
        return importlib.import_module(f"{PACKAGE}.llama_cpp")
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise ModelError(
            f"llama.cpp cannot be loaded ({error}): pip install --force-reinstall llama-cpp-python"
        ) from error
    finally:
        del sys.modules[PACKAGE]
