"""The report of `servers.py`: its figures as Markdown, one section for each server.

    python benchmarks/server_report.py PAGE FIGURES …

keeps the words before the first section of the page, and puts the sections of the figures behind them.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from gpu_report import table

Figures = dict[str, Any]


def written(figures: Figures) -> str:
    return "\n".join(line for title, server in figures.items() for line in _section(title, server)) + "\n"


def _section(title: str, server: Figures) -> Iterator[str]:
    told, machine = server["server"], server["machine"]
    window = f"{told['window']:,} tokens" if told["window"] else "not told"
    slots = "one conversation at a time" if told["slots"] == 1 else f"{told['slots']} conversations apart"
    counts = "exact" if told["exact"] else "estimated"
    yield from (f"## {title}", "")
    yield f"Model {told['model']}; window {window}; {slots}; our counts are {counts}."
    yield f"Asked from {machine['cores']} cores, Python {machine['python']}."
    yield ""
    states = [
        (part, run.get("wall"), "; ".join(run["problems"]) or "–") for part, run in server["parts"].items()
    ]
    yield from table(("part", "seconds", "what does not hold"), states)
    for part, run in server["parts"].items():
        if part in SECTIONS and set(run) - {"problems", "wall"}:
            yield from ("", f"### {part}", "")
            yield from SECTIONS[part](run)
    yield ""


def _talk(run: Figures) -> Iterator[str]:
    yield from table(TALK, [_turn(row) for row in run["rows"]])
    yield ""
    later = [row for row in run["rows"][2:] if not row["folded"]]
    if all(row["cached"] is None for row in later):
        yield f"The server does not say what it had cached. {_counts(run['rows'])}"
        if run["counted beside"]:
            yield "In a stream it tells no counts: it was asked for each behind the conversation, by itself."
        return
    plain = [row["share"] for row in later if not row["recalled"]]
    recalled = [row for row in later if row["recalled"]]
    yield f"From the third turn on, turns with a compaction apart: {_least(plain)} of the prompt was cached"
    yield f"on the {len(plain)} turns that recalled nothing. On the {len(recalled)} others, of the prompt"
    yield f"{_least([row['share'] for row in recalled])}, and without the passages that were recalled for"
    yield f"that very turn {_least([row['share of known'] for row in recalled])}."
    yield f"{_counts(run['rows'])} The whole took {run['seconds']:.1f} s."


def _least(shares: list[float]) -> str:
    if not shares:
        return "–"
    return f"at least {min(shares):.1%} ({median(shares):.1%} in the median)"


def _counts(rows: list[Figures]) -> str:
    told = [row for row in rows if row["counted"] is not None]
    if not told:
        return "It does not say what it counted either."
    same = sum(row["counted"] == row["prompt"] for row in told)
    if all(row["exact"] for row in told):
        return f"Our count of the prompt was the server's on {same} of {len(rows)} turns."
    ratios = [row["prompt"] / row["counted"] for row in told]
    return (
        f"We estimate {min(ratios):.2f} to {max(ratios):.2f} of what the server counted: "
        "neither its tokenizer nor its chat template is known here."
    )


TALK = (
    *("turn", "prompt", "the server's count", "cached", "of the prompt", "expected"),
    *("first token, s", "foretold", "decode tok/s", "answer", "recalled", "compactions"),
)


def _turn(row: Figures) -> tuple[object, ...]:
    share = None if row["share"] is None else f"{row['share']:.1%}"
    about = "" if row["exact"] else "~"
    return (
        *(row["number"], f"{about}{row['prompt']:,}", row["counted"], row["cached"], share, row["expected"]),
        *(row["first_token"], row["predicted"], row["decode_rate"], row["answered"]),
        *(row["recalled_tokens"] or None, row["folded"] or None),
    )


def _same(run: Figures) -> Iterator[str]:
    yield "Through the local engine, which read every prompt and was given the server's answers: the same"
    yield f"prompt ids and section counts on {run['the same']} of {run['turns']} turns, in all"
    yield f"{run['tokens compared']:,} tokens, with {run['folded']} compactions;"
    yield f"{run['prompts with those of summaries']} prompts with those that ask for summaries."


def _schema(run: Figures) -> Iterator[str]:
    wrong = len(run["problems"])
    yield f"{run['answers'] - wrong} of {run['answers']} answers satisfy the schema, by `jsonschema`. One:"
    yield from ("", "```json", run["shown"][0].strip(), "```")


def _cancel(run: Figures) -> Iterator[str]:
    names = (
        "running before",
        "turn ended after",
        "none running after",
        "sent next",
        "counted next",
        "cached next",
    )
    header = ("running before", "turn ended after, s", "none running after, s more", *names[3:])
    yield from table(header, [tuple(run[name] for name in names)])
    yield from ("", f"Kept of the answer: {run['kept']!r}")


def _many(run: Figures) -> Iterator[str]:
    rows = [
        (
            *(number, talk["turns"], talk["prompts"], talk["counted"], talk["first token, mean"]),
            ", ".join("–" if cached is None else f"{cached:,}" for cached in talk["cached"]),
            None if talk["last share"] is None else f"{talk['last share']:.1%}",
        )
        for number, talk in enumerate(run["talks"], 1)
    ]
    yield from table(MANY, rows)
    yield from ("", f"All at once took {run['seconds']:.1f} s: {run['rate']:,.0f} tokens a second together.")


MANY = (
    "conversation",
    "turns",
    "prompts",
    "the server's count",
    "first token, s",
    "cached",
    "of the last prompt",
)
SECTIONS: Mapping[str, Callable[[Figures], Iterator[str]]] = {
    "talk": _talk,
    "same": _same,
    "schema": _schema,
    "cancel": _cancel,
    "many": _many,
}

if __name__ == "__main__":
    page = Path(sys.argv[1])
    words = page.read_text().partition("\n## ")[0].rstrip()
    sections = [written(json.loads(Path(name).read_text())) for name in sys.argv[2:]]
    page.write_text("\n\n".join([words, *sections]).rstrip() + "\n")
