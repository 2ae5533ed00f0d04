"""Which cells a summary is written on, over a scripted model and a real store."""

from pathlib import Path

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import Compacted
from ctxchat.domain.sampling import Sampling
from ctxchat.service.policy import WindowPolicy
from ctxchat.service.request import AskRequest
from tests.support.desk import Desk
from tests.support.scripted import ScriptedModel

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
