"""A conversation that grows, held through ctxchat and through what else holds one with SmolLM2 on llama.cpp.

Side by side, each turn through every program before the next turn; one thread, greedy answers of some
tokens, the same system message. After the last turn every process is ended, and one more question is
asked of a new one: what reopening takes, from the start of the process to the first token. The server
needs `pip install 'llama-cpp-python[server]'`, here or in an environment of its own, whose python is named
by --server-python; where it is missing, its row says so. `llm` runs under `workers/llm_command.py`, which
gives it a window, one thread, and the history: as it comes, its plugin holds 512 tokens, and `-c` sends
none of the turns before.

    python benchmarks/side_by_side.py [--turns 8] [--words 190] [--answer 24] [--server-python PATH]
"""

import argparse
import importlib
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from peers import LlamaClass, LlmCommand, OurCommand, Ours, Peer, Rules, Server, Turn, xdg_folders
from rich.console import Console
from rich.table import Table

sys.path.append(str(Path(__file__).parent / "workers"))
smol = importlib.import_module("smol")

WINDOW = 8192
SERVER_EXTRA = "not installed: pip install 'llama-cpp-python[server]'"
THINGS = ("lamp", "bell", "rope", "barrel", "ledger", "anchor", "kettle", "lantern", "chart", "sail")
VERBS = ("mended", "sold", "painted", "lost", "borrowed", "found", "weighed", "hid")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=8)
    parser.add_argument("--words", type=int, default=190, help="of each question")
    parser.add_argument("--answer", type=int, default=24, help="tokens at most")
    parser.add_argument("--server-python", default=sys.executable, metavar="PATH")
    arguments = parser.parse_args()
    table = Table(
        "program",
        "first token, s (CPU s)",
        "last turn's",
        "evaluated",
        "reopened, s (CPU s)",
        "evaluated then",
    )
    with tempfile.TemporaryDirectory() as home:
        prepare(home, arguments.answer)
        rules = Rules(smol.path(), WINDOW, arguments.answer, smol.SYSTEM)
        every: list[Peer] = [Ours(), OurCommand(Path(home, "apart")), LlamaClass(rules), LlmCommand(rules)]
        if has_server(arguments.server_python):
            every.append(Server(rules, Path(home, "server.log"), arguments.server_python))
        seen = converse(every, [question(n, arguments.words) for n in range(arguments.turns + 1)])
    for peer in every:
        table.add_row(peer.label, *figures(seen[peer.label]))
    if len(every) == 4:
        table.add_row("llama_cpp.server", SERVER_EXTRA)
    Console(width=150).print(table)


def prepare(home: str, tokens: int) -> None:
    """An empty home for all, one thread, and modules compiled once as an installation has them."""
    os.environ |= xdg_folders(Path(home))
    os.environ |= {"LLM_USER_PATH": home, "OMP_NUM_THREADS": "1", "CTXCHAT_MODEL_THREADS": "1"}
    os.environ |= {"CTXCHAT_MODEL_THREADS_BATCH": "1", "CTXCHAT_MODEL_CTX_SIZE": str(WINDOW)}
    os.environ |= {"CTXCHAT_SAMPLING_TEMPERATURE": "0", "CTXCHAT_SAMPLING_MAX_TOKENS": str(tokens)}
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def has_server(python: str) -> bool:
    command = [python, "-c", "import llama_cpp.server.app"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def converse(every: list[Peer], questions: list[str]) -> dict[str, list[Turn]]:
    """Every turn through every program; the last question is for new processes."""
    seen: dict[str, list[Turn]] = {peer.label: [] for peer in every}
    for number, asked in enumerate(questions, 1):
        for peer in every:
            if number == len(questions):
                peer.stop()
            seen[peer.label].append(peer.ask(asked))
    for peer in every:
        peer.stop()
    return seen


def figures(turns: list[Turn]) -> tuple[str, ...]:
    """Of all turns but the first, which waits for the model; and of the last, in a new process."""
    *held, reopened = turns
    return (
        f"{median(turn.wall for turn in held[1:]):.2f} ({median(turn.cpu for turn in held[1:]):.2f})",
        f"{held[-1].wall:.2f} ({held[-1].cpu:.2f})",
        f"{sum(turn.evaluated for turn in held):,}",
        f"{reopened.wall:.2f} ({reopened.cpu:.2f})",
        f"{reopened.evaluated:,}",
    )


def question(number: int, words: int) -> str:
    """A tale of so many words, and what to say to it."""
    order = random.Random(number)
    tale = " ".join(
        f"On day {number * 100 + day} the keeper {order.choice(VERBS)} a {order.choice(THINGS)}."
        for day in range(words // 8)
    )
    return f"{tale} Say in a sentence what the keeper should do next."


if __name__ == "__main__":
    main()
