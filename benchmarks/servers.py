"""A model behind a server, asked through the whole program: what it counts, has cached, and holds to.

Held at the server are a long conversation with compactions and recall (`talk`), answers under a JSON schema
(`schema`), an answer that is cancelled (`cancel`), and eight conversations at once (`many`); `same` holds the
long one again through the local engine, which reads every prompt and is given the server's answers. What was
measured is kept in FOLDER/figures.json after each part, joined with what lies there of other servers, and
told in FOLDER/report.md. Exits with 1 where a promise does not hold.

    python benchmarks/servers.py URL [--gguf FILE] [--model NAME] [--report FOLDER]
                                 [--turns 40] [--window 2048] [--parts talk,same,schema,cancel,many]
                                 [--title TEXT]

`--gguf` is the file of the same model: its vocabulary counts, and it is needed for `same`. A server that
takes messages only is given none for counting, and `same` is left out there.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ctxchat.engine.llama.bindings import library

library()

from gpu_devices import queried  # noqa: E402
from server_chat import Target, at_home, at_server  # noqa: E402
from server_parts import PARTS, Bench  # noqa: E402
from server_report import written  # noqa: E402

from ctxchat.domain.cancel import Cancel  # noqa: E402
from ctxchat.domain.errors import CtxChatError  # noqa: E402

FIGURES = "figures.json"


def main() -> None:
    arguments = parsed()
    folder: Path = arguments.report or Path(tempfile.mkdtemp(prefix="servers-"))
    folder.mkdir(parents=True, exist_ok=True)
    figures = kept(folder / FIGURES)
    with tempfile.TemporaryDirectory() as home:
        target = Target(arguments.url, arguments.model, arguments.gguf, arguments.window)
        bench = Bench(target, Path(home), arguments.turns)
        title, server = looked_at(bench)
        title = arguments.title or title
        server["parts"] = figures.get(title, {}).get("parts", {})
        figures[title] = server
        for part in arguments.parts:
            result = measured(bench, part)
            if result is not None:
                server["parts"][part] = result
                (folder / FIGURES).write_text(json.dumps(figures, indent=1))
                (folder / "report.md").write_text(written(figures))
    print((folder / "report.md").read_text())
    sys.exit(1 if any(part["problems"] for part in server["parts"].values()) else 0)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url")
    parser.add_argument("--gguf", type=lambda text: Path(text).resolve())
    parser.add_argument("--model")
    parser.add_argument("--report", type=Path)
    parser.add_argument("--title", help="of the section, where the server does not say what it is")
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--window", type=int, default=2048)
    parser.add_argument("--parts", type=names, default=list(PARTS), help=", ".join(PARTS))
    return parser.parse_args()


def names(text: str) -> list[str]:
    chosen = text.split(",")
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return chosen


def looked_at(bench: Bench) -> tuple[str, dict[str, Any]]:
    """What the server says of itself, and where it is asked from."""
    at_home(bench.home / "look")
    service, model = at_server(bench.target)
    for _ in service.load(Cancel()):
        pass
    probed, exact = model.probed, model.vocabulary.exact
    service.close()
    devices = queried("name")
    where = f" on {len(devices)} × {devices[0]}" if devices else ""
    machine = {"devices": devices, "cores": os.cpu_count(), "python": platform.python_version()}
    told = {"model": model_name(probed.model), "window": probed.window, "slots": probed.slots, "exact": exact}
    return f"{probed.kind} {probed.version}".strip() + where, {"machine": machine, "server": told}


def model_name(name: str) -> str:
    return name.rpartition("/")[2] or name


def measured(bench: Bench, part: str) -> dict[str, Any] | None:
    """What a part gives, None where it has nothing to say of this server."""
    began = time.monotonic()
    try:
        result = PARTS[part](bench)
    except (
        CtxChatError,
        OSError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        AssertionError,
    ) as error:
        result = {"problems": [f"{type(error).__name__}: {error}"]}
    if result is None:
        return None
    result["wall"] = time.monotonic() - began
    state = "; ".join(result["problems"]) or "as it should"
    print(f"{part}: {result['wall']:.1f} s: {state}"[:600], file=sys.stderr, flush=True)
    return result


def kept(path: Path) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return figures


if __name__ == "__main__":
    main()
