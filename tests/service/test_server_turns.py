"""Turns at a server that is played: what it says is what the receipt says."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import EngineError
from ctxchat.domain.events import (
    CostPredicted,
    EngineEvent,
    TextGenerated,
    TurnEvent,
    TurnFinished,
    Warned,
)
from ctxchat.domain.receipt import Receipt
from ctxchat.engine.prefix import common_prefix
from ctxchat.service.model_in_use import OpenedModel
from ctxchat.service.policy import WindowPolicy
from ctxchat.service.request import AskRequest
from ctxchat.store.recall import SqliteRecall
from tests.support.desk import Desk
from tests.support.served import BLOCK, PRICES, ServedModel
from tests.support.word_embedder import WordEmbedder


class Talk(Desk):
    """A desk at which every question goes on with the conversation."""

    def events(self, request: AskRequest | str, cancel: Cancel | None = None) -> Iterator[TurnEvent]:
        asked = AskRequest(request, resume=True) if isinstance(request, str) else request
        return super().events(asked, cancel)


def at_server(folder: Path, model: ServedModel, **options: object) -> Talk:
    desk = Talk(folder, model, **options)  # type: ignore[arg-type]
    desk.service.use_model(lambda: OpenedModel(model, prices=PRICES))
    return desk


def warned(events: list[TurnEvent]) -> list[str]:
    return [event.message for event in events if isinstance(event, Warned)]


def finished(events: list[TurnEvent]) -> Receipt:
    last = events[-1]
    assert isinstance(last, TurnFinished)
    return last.receipt


def test_what_the_server_had_cached_is_reused_and_the_rest_is_evaluated(tmp_path: Path) -> None:
    desk = at_server(tmp_path, ServedModel(["Yes, it is.", "No."]))
    first, second = desk.ask("Is it so?"), desk.ask("And the other?")
    assert first.kv
    assert second.kv
    assert first.prompt
    assert second.prompt
    assert (first.kv.reused, first.kv.evaluated) == (0, first.prompt.total)
    assert first.kv.miss == "first turn: nothing of it was read before"
    assert second.kv.reused == (first.prompt.total + len("Yes, it is.")) // BLOCK * BLOCK
    assert second.kv.reused + second.kv.evaluated == second.prompt.total
    assert (second.kv.capacity, second.kv.bytes, second.kv.type_k) == (None, None, None)
    assert second.kv.cells == second.prompt.total + len("No.")
    assert (second.memory, second.attention_pairs) == (None, None)


def test_what_is_expected_stands_before_the_answer(tmp_path: Path) -> None:
    desk = at_server(tmp_path, ServedModel(["Yes.", "No."]))
    desk.ask("Is it so?")
    events = list(desk.events("And the other?"))
    told = next(event for event in events if isinstance(event, CostPredicted))
    kv = finished(events).kv
    assert kv is not None
    assert told.kv.reused == kv.reused
    assert told.predicted.cost == PRICES.money(told.kv.cells, told.kv.reused)


def test_the_price_of_a_turn_is_that_of_new_and_cached_tokens_and_of_the_answer(tmp_path: Path) -> None:
    desk = at_server(tmp_path, ServedModel(["Yes.", "No."]))
    first, second = desk.ask("Is it so?"), desk.ask("And the other?")
    assert second.kv
    assert second.cost
    assert first.cost
    assert second.spent
    amount = (second.kv.evaluated * 2.0 + second.kv.reused * 0.5 + len("No.") * 10.0) / 1e6
    assert second.cost.amount == pytest.approx(amount)
    assert second.cost.currency == "EUR"
    assert second.spent.amount == pytest.approx(first.cost.amount + second.cost.amount)


def test_a_server_that_says_nothing_leaves_costs_unknown(tmp_path: Path) -> None:
    desk = at_server(tmp_path, ServedModel(["Yes."], silent=True))
    receipt = desk.ask("Is it so?")
    assert (receipt.kv, receipt.cost, receipt.counted) == (None, None, None)
    assert receipt.answer_tokens == len("Yes.")


def test_a_cancelled_answer_costs_nobody_knows_what(tmp_path: Path) -> None:
    cancel = Cancel()

    def stop(event: EngineEvent) -> None:
        if isinstance(event, TextGenerated):
            cancel.request()

    desk = at_server(tmp_path, ServedModel(["A long answer."], on_event=stop))
    receipt = desk.ask("Go on?", cancel)
    assert (receipt.finish, receipt.cost, receipt.kv) == (Finish.CANCELLED, None, None)


def test_a_server_that_was_restarted_had_cached_nothing(tmp_path: Path) -> None:
    model = ServedModel(["Yes, it is.", "No."])
    desk = at_server(tmp_path, model)
    desk.ask("Is it so, and for how long?")
    model.restart()
    kv = desk.ask("And the other?").kv
    assert kv is not None
    assert kv.miss is not None
    assert "the server had cached nothing: it was restarted" in kv.miss


def test_blocks_are_named_where_they_cost_more_than_a_few_tokens(tmp_path: Path) -> None:
    desk = at_server(tmp_path, ServedModel(["y" * 28, "No."]))
    desk.ask("Is it so?")
    kv = desk.ask("And the other?").kv
    assert kv is not None
    assert kv.miss is None or kv.miss.endswith("before the question: blocks of 16")


def test_a_count_that_is_smaller_than_what_was_sent_is_called_out(tmp_path: Path) -> None:
    model = ServedModel(["Yes."])
    model.counts = [10]
    desk = at_server(tmp_path, model)
    events = list(desk.events("Is it so?"))
    [line] = warned(events)
    prompt = finished(events).prompt
    assert prompt is not None
    assert line.startswith(f"the server counted 10 tokens and was sent {prompt.total}: it cut the prompt")


def test_an_estimate_is_only_doubted_where_it_is_far_off(tmp_path: Path) -> None:
    model = ServedModel(["Yes.", "No."], exact=False)
    model.counts = [30, 10]
    desk = at_server(tmp_path, model)
    first, second = list(desk.events("Is it so?")), list(desk.events("And the other?"))
    assert warned(first) == []
    assert finished(first).counted == 30
    assert "cut the prompt in silence" in warned(second)[0]


def test_where_estimates_are_too_low_less_of_the_window_is_used_from_then_on(tmp_path: Path) -> None:
    model = ServedModel(["Yes."] * 3, exact=False, window=1024)
    model.counts = [60, 40]
    desk = at_server(tmp_path, model)
    first, second = desk.ask("Is it so?"), desk.ask("And then?")
    assert first.prompt
    assert second.prompt
    assert (first.prompt.usable, second.prompt.usable) == (896, int(896 / (60 / first.prompt.total)))


def test_a_window_larger_than_the_servers_is_not_used(tmp_path: Path) -> None:
    desk = at_server(tmp_path, ServedModel(["Yes."], window=1024), policy=WindowPolicy(window=4096))
    events = list(desk.events("Is it so?"))
    prompt = finished(events).prompt
    assert prompt is not None
    assert prompt.window == 1024


def test_between_turns_a_server_is_sent_nothing(tmp_path: Path) -> None:
    model = ServedModel(window=512)
    desk = at_server(tmp_path, model, stays=True)
    for turn in range(4):
        desk.ask("x" * 60 + str(turn))
        sent = len(model.generations)
        assert list(desk.service.tidy(Cancel())) == []
        assert (len(model.generations), model.calibrations) == (sent, 0)


def test_what_was_said_before_the_server_died_is_kept_and_the_next_turn_works(tmp_path: Path) -> None:
    said: list[EngineEvent] = []

    def die(event: EngineEvent) -> None:
        said.append(event)
        if sum(isinstance(one, TextGenerated) for one in said) == 3:
            raise EngineError("the connection was lost")

    model = ServedModel(["Half of it."], on_event=die)
    desk = at_server(tmp_path, model)
    receipt = desk.ask("Tell me.")
    assert receipt.error
    assert (receipt.error.code, receipt.cost, receipt.kv) == (1, None, None)
    assert receipt.answer
    model._on_event = lambda _: None
    model.answers = ["All of it."]
    assert desk.ask("Again?").answer == "All of it."
    assert desk.path()[1].spoken == receipt.answer


def test_a_summary_is_not_made_without_the_server(tmp_path: Path) -> None:
    model = ServedModel(window=512)
    desk = at_server(tmp_path, model)
    while not desk.blocks():
        model.answers = ["y" * 40, "y" * 40]
        desk.ask("x" * 60)
        assert len(model.generations) < 20
    folded = len(desk.blocks())
    while len(model.generations) < 40:
        before = len(model.generations)
        model.answers = [EngineError("gone")]
        receipt = desk.ask("x" * 60)
        assert receipt.error
        assert receipt.error.message == "gone"
        assert len(model.generations) == before + 1
        assert len(desk.blocks()) == folded
        break


def test_forty_turns_extend_one_another_but_for_those_behind_a_compaction(tmp_path: Path) -> None:
    model = ServedModel(window=2048)
    desk = at_server(
        tmp_path, model, stays=True, recall=lambda database: SqliteRecall(database, WordEmbedder)
    )
    sent: list[tuple[tuple[int, ...], int]] = []
    recalled = 0
    for turn in range(40):
        model.answers = [f"The {turn} heron nests at mill {turn}."] * 3
        receipt = desk.ask(f"Where does heron number {turn // 2} nest, by the mill?")
        assert receipt.error is None
        recalled += any(note.score is not None for note in receipt.notes)
        sent.append((tuple(model.generations[-1].ids), len(desk.blocks()) and hash(desk.blocks())))
        list(desk.service.tidy(Cancel()))
    assert recalled > 3
    assert desk.blocks()
    for (before, folded), (now, folded_now) in pairwise(sent):
        if folded == folded_now:
            assert common_prefix(before, now) == len(before)
