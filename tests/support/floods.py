"""Texts too long for a prompt, as programs write them, with one line that answers a question."""

import csv
import io
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

TOPICS = ("harbour", "market", "library", "station", "garden", "theatre", "bridge", "tower", "school")
VERBS = ("opens", "closes", "waits", "changes", "grows", "rests", "moves", "turns")


@dataclass(frozen=True, slots=True)
class Flood:
    """`line(i)` is a line of the kind, `needle` one that looks like them and answers the `question`,
    `answer` what must be left of it."""

    name: str
    line: Callable[[int], str]
    needle: str
    question: str
    answer: str
    join: Callable[[Sequence[str]], str] = "\n".join

    def text(self, lines: int, share: float) -> str:
        """So many lines with the needle behind a share of them."""
        found = [self.line(index) for index in range(lines)]
        found.insert(round(share * lines), self.needle)
        return self.join(found)


def _chance(index: int) -> random.Random:
    return random.Random(index)


def _pip(index: int) -> str:
    name = f"{TOPICS[index % 9]}-{VERBS[index // 9 % 8]}"
    version = f"{index % 7}.{index % 31}.{index % 11}"
    kinds = (
        f"Collecting {name}=={version}",
        f"  Downloading {name.replace('-', '_')}-{version}-py3-none-any.whl ({index % 900} kB)",
        f"  Link requires a different Python (3.11.7 not in: '>=3.{index % 9}'): https://host.example/{name}/",
    )
    return kinds[index % 3]


def _git(index: int) -> str:
    hash_ = f"{_chance(index).getrandbits(160):040x}"
    kinds = (
        f"commit {hash_}",
        f"Date:   Mon Nov {index % 28 + 1} 10:{index % 60:02}:00 2026 +0000",
        f"    The {TOPICS[index % 9]} {VERBS[index % 8]} when it is asked",
        f" src/{TOPICS[index % 9]}/{VERBS[index % 8]}.py | {index % 90} ++++----",
    )
    return kinds[index % 4]


def _build(index: int) -> str:
    name = f"{TOPICS[index % 9]}_{VERBS[index % 8]}"
    return f"[{index % 100:3}%] Building CXX object src/CMakeFiles/{name}.dir/{name}{index}.cpp.o"


def _syslog(index: int) -> str:
    stamp = f"Nov 22 {index // 3600 % 24:02}:{index // 60 % 60:02}:{index % 60:02} host"
    address = f"10.0.{index % 9}.{index % 250}"
    kinds = (
        f"sshd[{1000 + index % 77}]: Accepted publickey for deploy from {address} port {index}",
        f"systemd[1]: Started Session {index} of User deploy.",
        f"kernel: [{index}.123456] eth0: link up at {index % 1000} Mbps",
    )
    return f"{stamp} {kinds[index % 3]}"


def _row(index: int) -> str:
    chance = _chance(index)
    numbers = f"{chance.randrange(10**6)},{chance.random():.4f}"
    return f"{index},{chance.choice(TOPICS)},{numbers},2026-11-{index % 28 + 1:02}"


def _csv(lines: Sequence[str]) -> str:
    return "\n".join(["id,place,visitors,share,day", *lines]) + "\n"


def _uniform(lines: Sequence[str]) -> str:
    rows = list(csv.reader(io.StringIO("\n".join(lines))))
    return json.dumps({"total": len(rows), "items": [dict(zip("abcde", row, strict=True)) for row in rows]})


def _mixed(lines: Sequence[str]) -> str:
    rows = [line.split(",") for line in lines]
    return json.dumps(
        [{row[1]: {"n": row[0], f"k{index % 17}": row[2:]}} for index, row in enumerate(rows)], indent=2
    )


def _prose(index: int) -> str:
    chance = _chance(index)
    names = chance.sample(TOPICS, 3)
    ending = "\n\n" if index % 7 == 6 else " "
    return (
        f"In the old town the {names[0]} {chance.choice(VERBS)} before the {names[1]} does, and nobody"
        f" near the {names[2]} minds it much.{ending}"
    )


FLOODS = (
    Flood(
        "pip",
        _pip,
        "  Downloading zephyrlib-4.7.1-py3-none-any.whl (31 kB)",
        "how big is zephyrlib?",
        "31 kB",
    ),
    Flood(
        "git",
        _git,
        "    The ferry timetable is read once, see PR 90417",
        "which PR changed the ferry timetables?",
        "90417",
    ),
    Flood(
        "build",
        _build,
        "[ 47%] Building CXX object src/CMakeFiles/quasar.dir/quasar17.cpp.o",
        "was quasar17.cpp compiled?",
        "quasar17.cpp.o",
    ),
    Flood(
        "syslog",
        _syslog,
        "Nov 22 11:12:13 host sshd[1031]: Accepted publickey for brunhilde from 10.0.3.77 port 5555",
        "From which address did Brunhilde log in?",
        "10.0.3.77",
    ),
    Flood(
        "csv",
        _row,
        "777777,lighthouse,4711,0.1234,2026-11-05",
        "How many visitors had the lighthouse?",
        "4711",
        _csv,
    ),
    Flood(
        "uniform JSON",
        _row,
        "777777,lighthouse,4711,0.1234,2026-11-05",
        "How many visitors had the lighthouse?",
        "4711",
        _uniform,
    ),
    Flood(
        "mixed JSON",
        _row,
        "777777,lighthouse,4711,0.1234,2026-11-05",
        "How many visitors had the lighthouse?",
        "4711",
        _mixed,
    ),
    Flood(
        "prose",
        _prose,
        "The key of the observatory hangs behind the third clock. ",
        "Where is the observatory's key?",
        "third clock",
        "".join,
    ),
)
