"""Which cells a summary is written on, over a scripted model and a real store."""

from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import Compacted
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.service.policy import WindowPolicy
from ctxchat.service.request import AskRequest
from tests.support.desk import Desk
from tests.support.scripted import ScriptedModel
from tests.support.tiny_gguf import write_tiny_gguf

WINDOW = 1024


def asked(question: str) -> AskRequest:
    return AskRequest(question, resume=True, sampling=Sampling(max_tokens=64))


def desk_of(folder: Path, **policy: float) -> Desk:
    return Desk(folder, ScriptedModel(window=WINDOW), policy=WindowPolicy(**policy))  # type: ignore[arg-type]


def test_a_summary_that_has_no_room_beside_the_chat_takes_that_of_the_turns_that_follow(
    tmp_path: Path,
) -> None:
    desk = desk_of(tmp_path, compact_at=1.0)
    folded: list[Compacted] = []
    for number in range(40):
        cells = desk.model.cache.cells() if number else 0
        found = [e for e in desk.events(asked(f"Question {number}?")) if isinstance(e, Compacted)]
        if found:
            assert cells > WINDOW - 200
        folded += found
    assert folded
    assert all(compacted.evaluated > 0 for compacted in folded)


def opened(kind: str, folder: Path) -> Desk:
    if kind == "scripted":
        return Desk(folder, ScriptedModel(window=WINDOW))
    options = EngineOptions(window=WINDOW, threads=1, threads_batch=1)
    return Desk(folder, LlamaModel(write_tiny_gguf(folder / "tiny.gguf"), options))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["scripted", "tiny"])
def test_a_fold_behind_a_switch_of_conversation_shares_what_was_left(kind: str, tmp_path: Path) -> None:
    desk = opened(kind, tmp_path)
    short, long = Sampling(max_tokens=16), "one two three four five six seven eight nine ten " * 2
    for number in range(4):
        desk.ask(AskRequest(f"{number}? {long}", session="left", sampling=short))
    other = desk.ask(AskRequest(f"And here? {long}", session="other", sampling=short))
    left = desk.record.find("left")
    assert left
    (folded,) = [e for e in desk.service.compact(left, 16, Cancel()) if isinstance(e, Compacted)]
    assert folded.before > 100
    assert folded.evaluated < folded.before / 2
    back = desk.ask(AskRequest("So?", session="other", sampling=short))
    assert other.kv
    assert back.kv
    assert back.kv.reused > other.kv.cells - 8
    desk.service.close()


def test_the_summary_is_asked_beside_the_chat_and_shares_its_beginning(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    while not any(isinstance(event, Compacted) for event in desk.service.tidy(Cancel())):
        desk.ask(asked("Go on?"))
    before, aside = desk.model.generations[-2:]
    assert aside.aside
    assert not before.aside
    shared = sum(1 for _ in zip(before.ids, aside.ids, strict=False))
    same = next((n for n, (a, b) in enumerate(zip(before.ids, aside.ids, strict=False)) if a != b), shared)
    assert same > 0.3 * len(before.ids)
