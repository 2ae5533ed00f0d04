"""Which libraries of llama.cpp are installed."""

from importlib.util import find_spec
from pathlib import Path


def llama_libraries() -> str:
    """Names them by their files, without loading any: a build of the same version may be another."""
    seen = []
    spec = find_spec("llama_cpp")
    for folder in spec.submodule_search_locations or () if spec else ():
        for path in sorted(Path(folder, "lib").glob("*")):
            status = path.stat()
            seen.append(f"{path.name} {status.st_size} {status.st_mtime_ns}")
    return " ".join(seen)
