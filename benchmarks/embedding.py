"""What the table that embeds finds by itself: the turns that answer a question, by cosine alone.

    python benchmarks/embedding.py --data FOLDER [--table FOLDER]

FOLDER holds `conversation-N.jsonl` (id, session, name, text) and `questions-N.jsonl` (question,
evidence: ids). Printed is the share of the evidence among the first 1, 5 and 10 turns and inside 512,
1,024 and 2,048 tokens, and the mean of 1 / the rank of the first; then what embedding costs.
Tokens are about four letters; a session's date takes twelve, once.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from ctxchat.store.static_embedding import SHIPPED, StaticEmbedder

BUDGETS = (512, 1024, 2048)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def vectors(embedder: StaticEmbedder, texts: list[str]) -> np.ndarray:
    return np.stack([np.frombuffer(vector, "<f2") for vector in embedder.embed(texts)]).astype(np.float32)


def within(order: np.ndarray, turns: list[dict], evidence: set[str], budget: int) -> float:
    """The share of the evidence that is packed; a turn that does not fit is skipped."""
    dated, used, found = set(), 0, 0
    for place in order:
        turn = turns[place]
        tokens = (len(turn["name"]) + len(turn["text"])) // 4 + 3 + (turn["session"] not in dated) * 12
        if used + tokens <= budget:
            used += tokens
            dated.add(turn["session"])
            found += turn["id"] in evidence
    return found / len(evidence)


def measure(embedder: StaticEmbedder, turns: list[dict], questions: list[dict]) -> np.ndarray:
    """A row for each question."""
    places = {turn["id"]: place for place, turn in enumerate(turns)}
    asked = [(one, found) for one in questions if (found := set(one["evidence"]) & places.keys())]
    cosines = (
        vectors(embedder, [one["question"] for one, _ in asked])
        @ vectors(embedder, [turn["text"] for turn in turns]).T
    )
    rows = []
    for row, (_, evidence) in zip(cosines, asked, strict=True):
        order = np.argsort(-row, kind="stable")
        ranks = np.flatnonzero(np.isin(order, [places[one] for one in evidence]))
        first = [(ranks < limit).sum() / len(evidence) for limit in (1, 5, 10)]
        packed = [within(order, turns, evidence, budget) for budget in BUDGETS]
        rows.append([*first, 1 / (1 + ranks[0]), *packed])
    return np.array(rows) * 100


def seconds(embedder: StaticEmbedder, batches: list[list[str]]) -> float:
    """CPU seconds of embedding, the best of three."""
    spent = []
    for _ in range(3):
        begun = time.process_time()
        for texts in batches:
            embedder.embed(texts)
        spent.append(time.process_time() - begun)
    return min(spent)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--table", type=Path, default=SHIPPED)
    asked = parser.parse_args()
    begun = time.process_time()
    embedder = StaticEmbedder(asked.table)
    print(f"opened in {1000 * (time.process_time() - begun):.0f} ms of CPU, tokenizers' import included")
    print("| conversation | R@1 | R@5 | R@10 | MRR | 512 | 1024 | 2048 |\n|---|---|---|---|---|---|---|---|")
    every, said, questions = [], [], []
    for path in sorted(asked.data.glob("conversation-*.jsonl")):
        turns, told = lines(path), lines(path.with_name(path.name.replace("conversation", "questions")))
        said += [turn["text"] for turn in turns]
        questions += [one["question"] for one in told]
        every.append(measure(embedder, turns, told))
        print(f"| {path.stem} | " + " | ".join(f"{share:.1f}" for share in every[-1].mean(0)) + " |")
    print("| all | " + " | ".join(f"{share:.1f}" for share in np.concatenate(every).mean(0)) + " |")
    print(f"{len(said) / seconds(embedder, [said]):,.0f} turns a CPU second")
    print(f"{1000 * seconds(embedder, [[one] for one in questions]) / len(questions):.3f} ms a question")


if __name__ == "__main__":
    main()
