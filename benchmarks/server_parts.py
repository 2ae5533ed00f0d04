"""The parts of `servers.py`: what is asked of a server, and what must hold."""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from replaying import Answers
from server_chat import (
    Row,
    Target,
    asked,
    at_home,
    at_local_engine,
    at_server,
    converse,
    remember_note,
    short,
)
from server_many import eight_at_once
from server_schema import answered_by_schema
from server_watch import counted, running, seconds_until_none

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish, Role
from ctxchat.domain.events import TextGenerated, TurnFinished
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import Receipt
from ctxchat.service import wiring
from ctxchat.service.request import AskRequest
from ctxchat.settings.load import load_settings

LEAST_SHARE = 0.9
WARM_FROM = 3
HEARD_WITHIN = 1.0


@dataclass
class Held:
    """The conversation that was held at the server."""

    rows: list[Row]
    prompts: list[Prompt | None]
    answers: Answers
    notes: bool


@dataclass
class Bench:
    """Where all of it is kept, and the conversation once it was held."""

    target: Target
    home: Path
    turns: int
    held: Held | None = None

    def part(self, name: str) -> None:
        at_home(self.home / name)

    def keep(self, part: str, other: str) -> None:
        """Let another part begin with what a part has on record now."""
        if (self.home / part).exists():
            shutil.copytree(self.home / part, self.home / other, dirs_exist_ok=True)


Part = Callable[[Bench], dict[str, Any] | None]


def talk(bench: Bench) -> dict[str, Any]:
    """A long conversation, with a compaction and with recall."""
    bench.part("talk")
    notes, began = remember_note(), time.monotonic()
    bench.keep("talk", "same")
    service, model = at_server(bench.target)
    rows: list[Row] = []
    prompts: list[Prompt | None] = []
    for row, prompt in converse(service, bench.turns, notes=notes):
        rows.append(row)
        prompts.append(prompt)
    name, seconds = model.probed.model, time.monotonic() - began
    service.close()
    asked_beside = all(row.counted is None for row in rows)
    if asked_beside:
        for row, prompt in zip(rows, prompts, strict=True):
            row.counted = counted(bench.target.url, name, prompt.messages) if prompt else None
    bench.held = Held(rows, prompts, model.answers, notes)
    told = [asdict(row) | {"share": row.share, "share of known": row.share_of_known} for row in rows]
    kept = {"rows": told, "notes": notes, "seconds": seconds, "counted beside": asked_beside}
    return kept | {"problems": _wrong(rows)}


def _wrong(rows: list[Row]) -> list[str]:
    problems = [f"turn {row.number}: {said}" for row in rows for said in row.problems]
    for row in rows:
        if row.exact and row.counted != row.prompt:
            problems.append(f"turn {row.number}: {row.prompt} sent, {row.counted} counted")
        if row.exact and _is_cold(row):
            problems.append(f"turn {row.number}: {row.share_of_known or 0:.1%} cached")
    if not any(row.folded for row in rows):
        problems.append("nothing was folded")
    if not any(row.recalled for row in rows):
        problems.append("nothing was recalled")
    return problems


def _is_cold(row: Row) -> bool:
    """Whether too little was cached of a prompt that goes on where the one before ended."""
    return row.number >= WARM_FROM and not row.folded and (row.share_of_known or 0) < LEAST_SHARE


def same(bench: Bench) -> dict[str, Any] | None:
    """The same conversation through the local engine, which is given the server's answers."""
    if bench.target.gguf is None:
        return None
    if bench.held is None:
        talk(bench)
    held = bench.held
    assert held
    bench.part("same")
    service, model = at_local_engine(bench.target, held.answers)
    ours = list(converse(service, bench.turns, notes=held.notes))
    service.close()
    differing = [
        row.number
        for (row, prompt), theirs in zip(ours, held.prompts, strict=True)
        if prompt is None or theirs is None or (prompt.ids, prompt.sections) != (theirs.ids, theirs.sections)
    ]
    problems = [f"turn {row.number}: {said}" for row, _ in ours for said in row.problems]
    problems += [f"turn {number}: another prompt" for number in differing]
    tokens = sum(prompt.total for _, prompt in ours if prompt)
    folded = sum(row.folded for row, _ in ours)
    return {
        "turns": len(ours),
        "the same": len(ours) - len(differing),
        "folded": folded,
        "prompts with those of summaries": model.given,
        "tokens compared": tokens,
        "problems": problems,
    }


PIECES = 8
STORY = "Tell me a very long story about a lighthouse, with all that happens in it from year to year."


def cancel(bench: Bench) -> dict[str, Any]:
    """Cancelled in the middle of an answer: the server stops, what was said is kept, and all goes on."""
    bench.part("cancel")
    service, _ = at_server(bench.target)
    stop, pieces, receipt = Cancel(), 0, None
    busy, asked_at = None, 0.0
    for event in service.ask(
        AskRequest(STORY, session="story", sampling=short(bench.target.window // 2)), stop
    ):
        pieces += isinstance(event, TextGenerated)
        if pieces == PIECES and not stop.requested:
            busy, asked_at = running(bench.target.url), time.monotonic()
            stop.request()
        if isinstance(event, TurnFinished):
            receipt = event.receipt
    ended = time.monotonic() - asked_at
    idle = seconds_until_none(bench.target.url) if busy is not None else None
    assert receipt
    kept = _last_answer("story")
    row, _ = asked(service, 2, AskRequest("How does it go on?", session="story", sampling=short()))
    service.close()
    told = {"pieces": pieces, "running before": busy, "turn ended after": ended, "none running after": idle}
    told |= {"kept": kept, "counted next": row.counted, "sent next": row.prompt, "cached next": row.cached}
    return told | {"problems": _wrongly_cancelled(receipt, kept, row, told)}


def _wrongly_cancelled(receipt: Receipt, kept: str, row: Row, told: Mapping[str, Any]) -> list[str]:
    problems = [f"the next turn: {said}" for said in row.problems]
    if receipt.finish is not Finish.CANCELLED:
        said = f" ({receipt.error.message})" if receipt.error else ""
        problems.append(f"the answer ended by itself: {receipt.finish}{said}")
    if not kept or kept != receipt.answer:
        problems.append("what was said is not on record")
    if row.exact and row.counted != row.prompt:
        problems.append(f"the next turn: {row.prompt} sent, {row.counted} counted")
    busy, idle = told["running before"], told["none running after"]
    if busy == 0:
        problems.append("the server said that nothing was running in the middle of the answer")
    if busy is not None and (idle is None or idle + told["turn ended after"] > HEARD_WITHIN):
        problems.append(f"the server still had it running after {HEARD_WITHIN:.0f} s")
    return problems


def _last_answer(session: str) -> str:
    said = wiring.conversation_service(load_settings({})).transcript(session).messages
    spoken = [message.spoken for message in said if message.role is Role.ASSISTANT]
    return spoken[-1] if spoken else ""


def schema(bench: Bench) -> dict[str, Any]:
    """Answers that a schema holds."""
    bench.part("schema")
    return answered_by_schema(bench.target)


def many(bench: Bench) -> dict[str, Any]:
    """Eight conversations at once, each in a process and with a record of its own."""
    return eight_at_once(bench.target, bench.home / "many")


PARTS: Mapping[str, Part] = {"talk": talk, "same": same, "schema": schema, "cancel": cancel, "many": many}
