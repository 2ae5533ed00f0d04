"""One conversation in three ways, over a scripted model and a real store."""

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import EngineError
from ctxchat.domain.events import EngineEvent, Prefilled
from ctxchat.service.bench_chat import ChatBench, Stage, Step, turns_for
from ctxchat.service.bench_left import Left
from ctxchat.service.bench_talk import talk
from ctxchat.service.bench_ways import ORDER, ChatReport, ChatTurn, Held, Way, WayReport
from ctxchat.service.chat import ChatService, OpenedModel
from ctxchat.service.clock import SystemClock
from ctxchat.service.policy import DEFAULT_POLICY
from ctxchat.service.remembering import Remembering
from ctxchat.service.texts import Texts
from ctxchat.store.database import Database
from ctxchat.store.last_turns import LastTurns
from ctxchat.store.recall import SqliteRecall
from tests.support.desk import REQUESTS, WORDING
from tests.support.scripted import ScriptedModel
from tests.support.word_embedder import WordEmbedder

WINDOW, TURNS = 2048, 20


class Theatre:
    """Opens stages over scripted models, and keeps the models."""

    def __init__(self, folder: Path, *, last: int | None = None, failing: bool = False) -> None:
        self.folder = folder
        self.last = last
        self.failing = failing
        self.models: dict[Way, ScriptedModel] = {}
        self.read = Counter[Way]()

    def open(self, way: Way) -> AbstractContextManager[Stage]:
        return self._opened(way)

    @contextmanager
    def _opened(self, way: Way) -> Iterator[Stage]:
        answers = [EngineError("it broke")] if self.failing else []
        model = self.models[way] = ScriptedModel(answers, window=WINDOW, on_event=partial(self.see, way))
        store = Database(self.folder / f"{way}.sqlite3")
        record = LastTurns(store, self.last if way is Way.LAST else None)
        service = ChatService(
            lambda: OpenedModel(model),
            record,
            SystemClock(),
            Texts(WORDING, REQUESTS, "Be."),
            policy=lambda _: replace(DEFAULT_POLICY, folds=way is Way.MANAGED),
            remembering=Remembering(SqliteRecall(store, WordEmbedder), None),
            stays=way is Way.MANAGED,
        )
        yield Stage(service, record.narrow) if way is Way.LAST else Stage(service)
        service.close()
        store.close()

    def see(self, way: Way, event: EngineEvent) -> None:
        if isinstance(event, Prefilled) and event.done == event.total:
            self.read[way] += event.total

    def bench(self, turns: int = TURNS) -> ChatBench:
        return ChatBench(self.open, SystemClock(), WINDOW, turns)


def held(steps: Iterator[Step]) -> dict[Way, WayReport]:
    *_, last = steps
    assert isinstance(last, ChatReport)
    return {report.way: report for report in last.ways}


def test_full_history_ends_where_the_window_is_full_and_the_others_go_on(tmp_path: Path) -> None:
    ways = held(Theatre(tmp_path).bench().run(Cancel()))
    assert list(ways) == list(Way)
    full, last, managed = ways.values()
    assert full.full
    assert 0 < len(full.turns) < TURNS
    assert [len(last.turns), len(managed.turns)] == [TURNS, TURNS]
    assert not last.full
    assert max(way.peak_cells for way in ways.values()) <= WINDOW


def test_a_sliding_window_reads_most_and_forgets_and_folding_neither(tmp_path: Path) -> None:
    theatre = Theatre(tmp_path)
    full, last, managed = held(theatre.bench().run(Cancel())).values()
    assert managed.evaluated < last.evaluated
    assert managed.kept > last.kept
    assert managed.kept > full.kept
    assert {way.asked for way in (full, last, managed)} == {TURNS // 4}
    slid = last.turns[len(full.turns) :]
    assert all(turn.evaluated > WINDOW // 2 for turn in slid)


def test_what_was_read_is_what_the_models_have_read(tmp_path: Path) -> None:
    theatre = Theatre(tmp_path)
    for way, report in held(theatre.bench(6).run(Cancel())).items():
        model = theatre.models[way]
        assert len(model.generations) == len(report.turns) == 6
        first = len(model.generations[0].ids)
        assert report.turns[0].evaluated == first
        assert report.upkeep == 0
        assert report.turns[-1].cells <= len(model.generations[-1].ids) + 32


def test_all_that_the_model_read_is_counted_and_what_nobody_waited_for_apart(tmp_path: Path) -> None:
    theatre = Theatre(tmp_path)
    managed = held(theatre.bench(40).run(Cancel()))[Way.MANAGED]
    generations = theatre.models[Way.MANAGED].generations
    settled = [one for one in generations if not one.limit]
    assert settled
    assert any(one.aside for one in generations)
    assert len(generations) == 40 + len(settled) + sum(one.aside for one in generations)
    assert managed.evaluated == theatre.read[Way.MANAGED]
    assert managed.upkeep > 0
    behind = [managed.turns[turn.number] for turn in managed.turns[:-1] if turn.upkeep]
    assert all(turn.evaluated < WINDOW // 4 for turn in behind)


def test_a_window_of_so_many_turns_sends_no_more(tmp_path: Path) -> None:
    theatre = Theatre(tmp_path, last=2)
    last = held(theatre.bench(6).run(Cancel()))[Way.LAST]
    assert len(last.turns) == 6
    model = theatre.models[Way.LAST]
    prompt = model.vocabulary.text(model.generations[-1].ids)
    said = [saying.text for saying in talk(6)]
    assert [text in prompt for text in said] == [False, False, False, True, True, True]
    assert last.kept == 0


def test_one_that_is_stopped_reports_what_it_has(tmp_path: Path) -> None:
    cancel, steps = Cancel(), []
    for step in Theatre(tmp_path).bench().run(cancel):
        steps.append(step)
        if isinstance(step, Held) and len(step.report.turns) == 3:
            cancel.request()
    assert {way: len(report.turns) for way, report in held(iter(steps)).items()} == {Way.FULL: 3}


def test_a_model_that_fails_ends_it(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="it broke"):
        list(Theatre(tmp_path, failing=True).bench().run(Cancel()))


def test_a_larger_window_is_filled_by_more_turns() -> None:
    assert turns_for(64) == 8
    assert turns_for(2048) < turns_for(4096)


def test_the_time_left_falls_to_nothing_and_knows_what_sliding_costs() -> None:
    def report(way: Way, turns: int, *, full: bool = False, evaluated: int = 100) -> WayReport:
        every = (ChatTurn(number, 1.0, evaluated, 0, 100, None) for number in range(1, turns + 1))
        return WayReport(way, tuple(every), full, asked=0)

    assert Left(1000, 20, {}, 0.0).seconds is None
    ways = {Way.FULL: report(Way.FULL, 10, full=True)}
    began = Left(1000, 20, ways, 20.0).seconds
    assert began == pytest.approx(20 * 2 + 10 * 2 + 10 * (1 + 10))
    ways[Way.MANAGED] = report(Way.MANAGED, 20)
    ways[Way.LAST] = report(Way.LAST, 20)
    assert list(ways) == list(ORDER)
    assert Left(1000, 20, ways, 100.0).seconds == 0
