"""Questions as people ask them, with words that many lines hold or none, and the text that answers each."""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAD, MIDDLE = "f2805d4", "f7fe454"
"""Commits whose history is asked about: what is added later changes no text."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a text, and the pieces of it that must all be sent to answer."""

    name: str
    text: Callable[[], str]
    question: str
    answers: tuple[str, ...]


def asked() -> Iterator[Asked]:
    """The questions whose texts this machine has or can make."""
    for name, text, questions in (*_of_git(), *_of_packages(), *_of_builds(), *_of_prose(), *_made_up()):
        for question, *answers in questions:
            if all(answer and answer in text() for answer in answers):
                yield Asked(name, text, question, tuple(answers))


def output(command: list[str]) -> list[str]:
    """What a command says on both streams."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        ended = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    return ended.stdout.decode(errors="replace").splitlines()


Group = tuple[str, Callable[[], str], list[tuple[str, ...]]]


def _of_git() -> Iterator[Group]:
    yield (
        "git log --stat -p -30",
        _git("log", "--stat", "-p", "-30", HEAD),
        [
            (
                "Which commit named the options of the recall command?",
                "e6b63a9",
                "recall have names, so that",
            ),
            (
                "Which commit tested that notes are forgotten?",
                "baf2f90",
                "Forgetting a note is tested through",
            ),
            (
                "Which commit keeps hostile input from slowing the filters?",
                "8e14c0c",
                "Hostile text costs the",
            ),
            ("What commit tells how notes are stored?", "4515438", "How notes are kept, in the architecture"),
        ],
    )
    yield (
        "git log --stat -p -90",
        _git("log", "--stat", "-p", "-90", MIDDLE),
        [
            (
                "Which commit removed dead code from the engine's generation?",
                "a16ea01",
                "Generation is read in one place: what its class replaced is gone",
            ),
            (
                "Which commit fixed the drawing of the prefill?",
                "742de8a",
                "The end of a prefill is always drawn",
            ),
        ],
    )
    yield (
        "git log --stat",
        _git("log", "--stat", "-120", HEAD),
        [
            ("Which commit added support for PDF documents?", "a79264b", "PDF and HTML as an extra"),
            (
                "When did streams get folded while they are read?",
                "6ebbfd9",
                "A stream too large to hold is folded",
            ),
            ("What is the last commit about?", "which libraries are loaded, and in which order"),
        ],
    )
    yield (
        "git log",
        _git("log", HEAD),
        [
            ("Which commit made the program start faster?", "8124be8", "Start-up looks for less"),
            (
                "Which commit changed what happens on a damaged vocabulary?",
                "af464ef",
                "A damaged vocabulary is",
            ),
        ],
    )
    yield (
        "git diff",
        _git("diff", MIDDLE, HEAD),
        [
            (
                "How long may a paragraph be before its sentences are read in parts?",
                "_LONGEST_PARAGRAPH = 20_000",
            )
        ],
    )


def _of_packages() -> Iterator[Group]:
    log, status = Path("/var/log/dpkg.log"), Path("/var/lib/dpkg/status")
    if not os.access(log, os.R_OK) or not os.access(status, os.R_OK):
        return
    lines = log.read_text().splitlines()
    upgrades = [line for line in lines if " upgrade " in line] or [""]
    starts = [line for line in lines if " startup " in line] or [""]
    yield (
        "/var/log/dpkg.log",
        lambda: "\n".join(lines),
        [
            ("Which package was upgraded last?", upgrades[-1]),
            ("What did the first upgrade change?", upgrades[0]),
            ("When was dpkg last started?", starts[-1]),
        ],
    )
    yield (
        "/var/lib/dpkg/status",
        status.read_text,
        [
            ("Which package transfers files by URL on the command line?", "Package: curl\n"),
            ("Which package compresses files by sorting blocks?", "Package: bzip2\n"),
            ("What do I have to read manual pages?", "Package: man-db\n"),
        ],
    )


def _of_builds() -> Iterator[Group]:
    names = sorted({found.metadata["Name"] for found in distributions()})

    @cache
    def pip() -> str:
        command = [sys.executable, "-m", "pip", "install", "-v", "--dry-run", "--no-index"]
        said = output([*command, *names])
        middle = len(said) // 2
        return "\n".join([*said[:middle], *output([*command, "ctxchat-of-nobody"]), *said[middle:]])

    @cache
    def compiled() -> str:
        return "\n".join(output([sys.executable, "-m", "compileall", "-f", str(Path(os.__file__).parent)]))

    yield "pip install -v", pip, [("Why could it not be installed?", "No matching distribution found")]
    yield (
        "compileall -f",
        compiled,
        [("Which file did not compile, and why?", "py2_test_grammar.py'", "Error: ")],
    )


def _of_prose() -> Iterator[Group]:
    def documents() -> str:
        paths = ("README.md", "docs/architecture.md", "docs/recall.md", "docs/embedding.md")
        return "".join(_git("show", f"{HEAD}:{path}")() + "\n" for path in paths)

    yield (
        "README and docs",
        cache(documents),
        [
            ("How fast is recall with ten thousand notes?", "10,000 notes 50 ms first"),
            ("What happens when the index of Chroma is broken?", "builds the index again and says so"),
            (
                "Which exit code means that a prompt is too long?",
                "| 4 | the prompt does not fit the window |",
            ),
            ("What does it do after the answer is read?", "is what is done while the person reads"),
            ("How is the shipped table of vectors made?", "It is distilled from all-MiniLM-L6-v2"),
        ],
    )


def _made_up() -> Iterator[Group]:
    yield (
        "CSV, 4,000 rows",
        lambda: "\n".join(["invoice,client,city,status,day", *map(_invoice, range(4000))]),
        [
            ("Which invoice has not been paid?", _invoice(2613)),
            ("Which client's money was returned?", _invoice(911)),
        ],
    )
    yield (
        "JSON, 300 services",
        lambda: json.dumps({"services": [_service(index) for index in range(300)]}, indent=2),
        [
            ("Which service sends the bills to customers?", "service-187"),
            ("Which is not healthy?", "service-71"),
        ],
    )
    yield (
        "journal, 8,000 lines",
        cache(lambda: "\n".join(_journal())),
        [
            ("When was postgresql restarted?", "postgresql.service: Scheduled restart job"),
            ("Why did the backup fail?", "No space left on device (28)"),
            ("Who logged in as root?", "Accepted password for root from 203.0.113.77"),
            ("Why did the payment of an order fail?", "CurrencyMismatch: order is in EUR"),
            ("When did the host start?", "kernel: Linux version 6.1.0"),
        ],
    )


def _git(*arguments: str) -> Callable[[], str]:
    return cache(lambda: "\n".join(output(["git", "-C", str(ROOT), *arguments])))


def _invoice(index: int) -> str:
    chance = random.Random(index)
    status = {2613: "open", 911: "refunded"}.get(index, "paid")
    city = chance.choice(("Oslo", "Lima", "Kyoto", "Accra", "Quito"))
    return f"{index},client-{chance.randrange(10**6)},{city},{status},2026-11-{index % 28 + 1:02}"


def _service(index: int) -> dict[str, object]:
    chance = random.Random(index)
    does = (
        chance.choice(("Keeps", "Reads", "Checks", "Counts")),
        chance.choice(("orders", "customers", "stock")),
    )
    found: dict[str, object] = {"name": f"service-{index}", "port": 8000 + index, "does": " ".join(does)}
    found["health"] = {"status": "ok" if index != 71 else "failing", "checks": chance.sample(range(99), 3)}
    if index == 187:
        found["does"] = "Sends customers their monthly bill"
    return found | ({"needs": [f"service-{chance.randrange(300)}"]} if index % 3 else {"team": "core"})


def _journal() -> Iterator[str]:
    """A day of a small server: sign-ins, requests, checkpoints, timers, workers that restart."""
    chance = random.Random(3)
    events = {
        0: ["kernel: Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)"],
        2100: ["sshd[4120]: Accepted password for root from 203.0.113.77 port 50222 ssh2"],
        3500: [
            "systemd[1]: postgresql.service: Main process exited, code=killed, status=9/KILL",
            "systemd[1]: postgresql.service: Scheduled restart job, restart counter is at 1.",
        ],
        5200: [
            'backup.sh[881]: rsync: [receiver] write failed on "/mnt/b/2.tar": No space left on device (28)'
        ],
        6400: [
            "shop[77]: ERROR request 81 failed",
            "shop[77]: Traceback (most recent call last):",
            'shop[77]:   File "/srv/shop/pay.py", line 88, in pay',
            "shop[77]: shop.money.CurrencyMismatch: order is in EUR, payment is in USD",
        ],
    }
    for index in range(8000):
        clock = f"Nov 21 {index // 340:02}:{index // 6 % 60:02}:{index * 10 % 60:02} mercury "
        yield from (clock + event for event in events.get(index, ()))
        yield clock + _daily(index, chance)


def _daily(index: int, chance: random.Random) -> str:
    number, address = chance.randrange(10**5), f"10.0.{chance.randrange(9)}.{chance.randrange(250)}"
    return chance.choice(
        (
            f"sshd[{number}]: Failed password for root from {address} port {number} ssh2",
            f"sshd[{number}]: Accepted publickey for deploy from {address} port {number} ssh2",
            f'nginx[812]: {address} "POST /orders/{number}/payment" 200 {index % 97}',
            f"postgresql[610]: LOG:  checkpoint complete: wrote {number} buffers; write={index % 50}.01 s",
            f"systemd[1]: worker@{index % 9}.service: Scheduled restart job, restart counter is at {index}.",
            f"systemd[1]: Started session-{index}.scope - Session {index} of User deploy.",
            f"systemd[1]: backup-check.service: Deactivated successfully after {index % 30}.{number} s.",
            f"backup.sh[881]: {number} files are in the backup of /srv/data/{index % 40}",
            f"shop[77]: WARNING request {number} failed once, trying again",
            f"shop[77]: INFO order {number} was paid by card",
            f"CRON[{number}]: pam_unix(cron:session): session opened for user root(uid=0)",
        )
    )
