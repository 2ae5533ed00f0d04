"""What the filters make of real logs, a table and JSON, and whether the line that answers is still there.

The logs come from commands that any machine with this project has. Into each a line is set that looks
like its neighbours but for one name, at 0 %, 10 % … 100 % of the text, and the question asks for that
name. Tokens are SmolLM2's, the room is --room, seconds are of CPU and without the counting of tokens.

    python benchmarks/filters.py [--room 2048]
    python benchmarks/filters.py --questions      # natural questions alone, at rooms of 800 and 2,000 tokens
    python benchmarks/filters.py --stream 500     # megabytes of a log, in bounded memory
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
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib.metadata import distributions
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ctxchat.context.filters.pipeline import filtered
from ctxchat.context.filters.stream import condensed

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.natural_questions import Asked, asked, output  # noqa: E402 - the folder above is needed first

NAME = "zephyrine4711"
QUESTION = f"What is said of {NAME}?"
ROWS = 100_000
ROOMS = (800, 2000)
Join = Callable[[list[str]], str]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--room", type=int, default=2048)
    parser.add_argument("--questions", action="store_true")
    parser.add_argument("--stream", type=int, metavar="MB")
    arguments = parser.parse_args()
    if arguments.stream:
        stream(arguments.stream)
        return
    counting = Counting()
    if not arguments.questions:
        texts(arguments.room, counting)
    questions(counting)


def questions(counting: "Counting") -> None:
    """Of natural questions, how many are sent what answers them, and which are not."""
    found: dict[str, list[tuple[Asked, list[bool]]]] = defaultdict(list)
    for one in asked():
        sent = (filtered(one.text(), one.question, room, counting).text for room in ROOMS)
        found[one.name].append((one, [all(answer in text for answer in one.answers) for text in sent]))
    table = Table("natural questions", *(f"{room:,} tokens" for room in ROOMS), "not answered")
    rows = [row for rows in found.values() for row in rows]
    for name, asked_of_it in (*found.items(), ("all", rows)):
        shares = (
            f"{sum(answered[at] for _, answered in asked_of_it)} of {len(asked_of_it)}" for at in (0, 1)
        )
        missed = (
            one.question if not answered[-1] else f"{one.question} ({ROOMS[0]:,})"
            for one, answered in asked_of_it
            if not all(answered) and name != "all"
        )
        table.add_row(name, *shares, "\n".join(missed))
    Console(width=140).print(table)


def texts(room: int, counting: "Counting") -> None:
    table = Table("text", "MB", "tokens", "folded", "sent", "rules", "needle kept", "CPU s", "MB/s")
    for name, lines, join in floods():
        kept, spent, steps = 0, [], ()
        for tenth in range(11):
            text = join(with_needle(lines, tenth / 10))
            counting.seconds = 0.0
            began = time.process_time()
            sent = filtered(text, QUESTION, room, counting)
            spent.append(time.process_time() - began - counting.seconds)
            kept += NAME in sent.text
            assert counting(sent.text) <= room or counting(text) <= room
            steps = sent.steps
        folded = [step.after for step in steps if step.rule != "relevance to the question"]
        seconds = sorted(spent)[len(spent) // 2]
        table.add_row(
            name,
            f"{len(text) / 1e6:.2f}",
            f"{'' if steps[0].exact else '~'}{steps[0].before:,}",
            f"{folded[-1]:,}" if folded else "",
            f"{steps[-1].after:,}",
            str(len(steps)),
            f"{kept} of 11",
            f"{seconds:.2f}",
            f"{len(text) / 1e6 / seconds:.1f}",
        )
    Console(width=140).print(table)


class Counting:
    """Counts tokens, and the CPU seconds it takes to."""

    def __init__(self) -> None:
        from benchmarks.workers.smol import path
        from ctxchat.engine.gguf.reading import read_header
        from ctxchat.engine.llama.loaded import open_by_llama, open_for_counting
        from ctxchat.engine.llama.options import EngineOptions
        from ctxchat.engine.llama.worker import Worker

        header, options, worker = read_header(path()), EngineOptions(), Worker("counting")
        if open_for_counting(header, options, worker) is None:
            open_by_llama(header, options, worker, lambda _: True, vocabulary_only=True)
        opened = open_for_counting(header, options, worker)
        assert opened is not None
        self._vocabulary = opened.vocabulary
        self.seconds = 0.0

    def __call__(self, text: str) -> int:
        began = time.process_time()
        tokens = len(self._vocabulary.encode(text, special=False))
        self.seconds += time.process_time() - began
        return tokens


def with_needle(lines: list[str], share: float) -> list[str]:
    """The lines and one more: the one that stood there, with another name for its longest word."""
    place = round(share * len(lines))
    like = lines[min(place, len(lines) - 1)]
    words = [word for word in like.replace(",", " ").replace('"', " ").split() if word.isascii()]
    needle = like.replace(max(words, key=len), NAME, 1) if words else NAME
    return [*lines[:place], needle, *lines[place:]]


def floods() -> Iterator[tuple[str, list[str], Join]]:
    """A name, lines, and how they become a text."""
    names = sorted({found.metadata["Name"] for found in distributions()})
    pip = [sys.executable, "-m", "pip"]
    plain: Join = "\n".join
    yield "git log --stat", output(["git", "-C", str(ROOT), "log", "--stat"]), plain
    yield "git log --stat -p", output(["git", "-C", str(ROOT), "log", "--stat", "-p"]), plain
    yield (
        "pip install -v --dry-run",
        output([*pip, "install", "-v", "--dry-run", "--no-index", *names]),
        plain,
    )
    yield "pip list --verbose", output([*pip, "list", "--verbose"]), plain
    yield (
        "compileall -f",
        output([sys.executable, "-m", "compileall", "-f", str(Path(os.__file__).parent)]),
        plain,
    )
    yield "python -v", output([sys.executable, "-v", "-c", "import rich.markdown, asyncio"]), plain
    yield "journal (made up)", [next(lines) for lines in [log()] for _ in range(30_000)], plain
    for path in (Path("/var/log/dpkg.log"), Path("/var/log/syslog"), Path("/var/log/messages")):
        if os.access(path, os.R_OK) and path.stat().st_size > 50_000:
            yield str(path), path.read_text(errors="replace").splitlines(), plain
    rows = [row(index) for index in range(ROWS)]
    yield f"CSV, {ROWS:,} rows", rows, lambda found: "\n".join(["id,city,name,amount,day", *found])
    yield (
        "JSON, alike",
        rows[: ROWS // 4],
        lambda found: json.dumps({"items": [record(line) for line in found]}),
    )
    yield (
        "JSON, unlike",
        rows[: ROWS // 8],
        lambda found: json.dumps([nested(line) for line in found], indent=1),
    )
    yield "JSON lines", rows[: ROWS // 4], lambda found: "\n".join(json.dumps(record(line)) for line in found)
    prose = "".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))
    yield "docs/*.md", prose.splitlines(), plain


def row(index: int) -> str:
    chance = random.Random(index)
    city = chance.choice(("Oslo", "Lima", "Kyoto", "Accra", "Quito"))
    client, amount = chance.randrange(10**6), chance.random() * 1e4
    return f"{index},{city},client-{client},{amount:.2f},2026-11-{index % 28 + 1:02}"


def record(line: str) -> dict[str, object]:
    return dict(zip(("id", "city", "name", "amount", "day"), line.split(","), strict=True))


def nested(line: str) -> dict[str, object]:
    fields = line.split(",")
    return {fields[1]: {"client": {"name": fields[2]}, f"on {fields[4]}": [fields[0], fields[3]]}}


def log() -> Iterator[str]:
    """Lines of a system's journal for ever, with a rare failure and an identifier in most of them."""
    chance = random.Random(1)
    for index in range(10**9):
        clock = f"{index // 3600 % 24:02}:{index // 60 % 60:02}:{index % 60:02}"
        stamp = f"Nov {index // 86_400 % 28 + 1:2} {clock} host"
        kind, user = index % 4, chance.getrandbits(20)
        if index % 50_021 == 50_020:
            yield f"{stamp} kernel: I/O error on device sd{'abcdef'[index % 6]}, sector {index}"
        elif kind == 0:
            yield f"{stamp} web[{user % 4000}]: GET /api/v1/users/{user} 200 in {index % 97} ms"
        elif kind == 1:
            yield f"{stamp} web[{index % 4000}]: request {chance.getrandbits(128):032x} was queued"
        elif kind == 2:
            yield f"{stamp} sshd[{index % 900}]: Accepted publickey for deploy from 10.0.0.{user % 250}"
        else:
            yield f"{stamp} systemd[1]: Started session-{index}.scope - Session {index} of User deploy."


def stream(megabytes: int) -> None:
    """Writes a log of that size and reads it once, in a fresh process, so that the peak is its own."""
    if os.environ.get("CTXCHAT_STREAM"):
        began = time.process_time()
        with Path(os.environ["CTXCHAT_STREAM"]).open(encoding="utf-8") as file:
            result = condensed(file, QUESTION)
        seconds = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{result.characters / 1e6:,.0f} MB, {result.lines:,} lines → {len(result.text):,} characters;"
            f" needle {'kept' if NAME in result.text else 'LOST'}; {seconds:.1f} s of CPU,"
            f" {result.characters / 1e6 / seconds:.1f} MB/s; peak {peak:.0f} MB resident"
        )
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        with path.open("w", encoding="utf-8") as file:
            size, needle_at = 0, megabytes * 600_000
            for line in log():
                size += file.write(line + "\n")
                if needle_at and size > needle_at:
                    needle_at = file.write(line.replace("host", NAME) + "\n") * 0
                if size > megabytes * 1_000_000:
                    break
        environment = {**os.environ, "CTXCHAT_STREAM": str(path)}
        subprocess.run([sys.executable, __file__, "--stream", str(megabytes)], env=environment, check=True)


if __name__ == "__main__":
    main()
