"""Pictures of the screen. One that changed is looked at, and taken anew with `--snapshot-update`."""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, tzinfo
from itertools import count
from typing import Any

import pytest
from textual.widgets import Input

from ctxchat.domain.errors import ModelError
from ctxchat.domain.events import EngineEvent, Prefilled, TextGenerated
from ctxchat.store import rows
from ctxchat.tui.app import ChatApp
from ctxchat.tui.chat.transcript import FoldedLine
from ctxchat.tui.chat.written import Written
from ctxchat.tui.screens.conversations import ConversationsScreen
from ctxchat.tui.screens.failure import FailureScreen
from ctxchat.tui.screens.plan import PlanScreen
from tests.support.characters import BracketTemplate
from tests.support.chats import Chats, ask, seen, send, until
from tests.support.scripted import ScriptedModel
from tests.support.stillness import NOON, Gate, StillClock

Body = Callable[[Any], Awaitable[None]]
Looks = Callable[..., bool]

RETRY = """\
It stops at the **first** of three conditions:

1. `attempt >= max_attempts`, 5 unless set
2. the deadline has passed
3. the error is not *retryable*

```python
for attempt in count(1):
    try:
        return call()
    except Retryable as error:
        if attempt >= max_attempts or clock() > deadline:
            raise GaveUp(attempt) from error
        sleep(backoff(attempt))
```
"""
JITTER = "You chose **full jitter**: `sleep = random(0, base * 2**n)`, capped at 20 s."
THOUGHT = "<think>\nThe person asks for a colour. Light of short waves is scattered most.\n</think>\nBlue."
SUMMARY = "The retry loop gives up after 5 attempts or at its deadline. Full jitter, capped at 20 s."
HOW, WHAT = "How does the retry loop decide when to give up?", "And what did we decide about jitter?"


def passing() -> type[datetime]:
    """Noon, and a second later whenever the record asks again."""
    seconds = count()

    class Passing(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return NOON + timedelta(seconds=next(seconds))

    return Passing


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def looks(snap_compare: Looks, monkeypatch: pytest.MonkeyPatch) -> Looks:
    """Whether a chat looks as it did, once a body has been done to it: in a terminal of all colours."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    monkeypatch.setattr(rows, "datetime", passing())

    def compare(app: ChatApp, body: Body, size: tuple[int, int] = (120, 40)) -> bool:
        async def before(pilot: Any) -> None:
            await until(pilot, lambda: app.services.chat.model)
            await rest(pilot)
            await body(pilot)
            for field in app.screen.query(Input):
                field.cursor_blink = False

        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


def rested(app: ChatApp) -> bool:
    """Whether the thread has nothing to do, and all that it told was shown; the draft is counted."""
    work, told = app.chat.work, app.chat._message_queue.qsize() + app._message_queue.qsize()
    counted = bool(app.chat.meters[0]._draft) == bool(app.chat.composer.draft.text)
    return counted and not (work._current or work._waiting or app.chat.busy or told)


async def rest(pilot: Any) -> None:
    """Wait until upkeep is over too: it begins a few messages after a turn ended."""
    calm = 0
    while calm < 5:
        await pilot.pause()
        calm = calm + 1 if rested(pilot.app) else 0


async def nothing(_: Any) -> None:
    pass


def asking(*questions: str) -> Body:
    async def body(pilot: Any) -> None:
        for question in questions:
            await ask(pilot, question)
            await rest(pilot)

    return body


def held_at(clock: StillClock, *gates: Gate) -> Callable[[EngineEvent], None]:
    def on_event(event: EngineEvent) -> None:
        clock(event)
        for gate in gates:
            gate(event)

    return on_event


def test_the_first_frame_says_how_to_begin(chats: Chats, clock: StillClock, looks: Looks) -> None:
    assert looks(chats.open_still(ScriptedModel(), clock), nothing)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 50)])
def test_an_answer_with_code_stands_over_its_receipt(
    chats: Chats, clock: StillClock, looks: Looks, size: tuple[int, int]
) -> None:
    model = ScriptedModel([RETRY, JITTER], window=8192, on_event=clock)
    assert looks(chats.open_still(model, clock), asking(HOW, WHAT), size)


def test_without_colours_the_sources_differ_by_their_glyphs(
    chats: Chats, clock: StillClock, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    model = ScriptedModel([RETRY, JITTER], window=8192, on_event=clock)
    assert looks(chats.open_still(model, clock), asking(HOW, WHAT))


def test_reasoning_is_folded_over_the_answer(chats: Chats, clock: StillClock, looks: Looks) -> None:
    model = ScriptedModel([THOUGHT], template=BracketTemplate(reasons=True), on_event=clock)
    assert looks(chats.open_still(model, clock), asking("What colour is the sky?"), (80, 24))


def test_reading_a_long_prompt_shows_how_far_it_is(chats: Chats, clock: StillClock, looks: Looks) -> None:
    first, second = (
        Gate(lambda event, done=done: isinstance(event, Prefilled) and event.done >= done)
        for done in (400, 800)
    )
    model = ScriptedModel(["Read."], window=8192, slice_length=400, on_event=held_at(clock, first, second))
    app = chats.open_still(model, clock)

    async def body(pilot: Any) -> None:
        await send(pilot, "Sum this up: " + "the wind was in the reeds, and then it was not. " * 30)
        await until(pilot, lambda: first.reached.is_set() and "0 %" in seen(app))
        clock.on_screen = 3.0
        first.opened.set()
        await until(pilot, lambda: second.reached.is_set() and "400" in seen(app))
        await until(pilot, lambda: not any(meters._waits for meters in app.chat.meters))

    try:
        assert looks(app, body)
    finally:
        second.opened.set()


def test_a_stopped_answer_keeps_what_there_is_of_it(chats: Chats, clock: StillClock, looks: Looks) -> None:
    gate = Gate(lambda event: isinstance(event, TextGenerated) and event.text == ",")
    model = ScriptedModel(["The tide comes in, and goes out."], on_event=held_at(clock, gate))
    app = chats.open_still(model, clock)

    async def body(pilot: Any) -> None:
        await send(pilot, "What does the tide do?")
        await until(pilot, gate.reached.is_set)
        await pilot.press("escape")
        gate.opened.set()
        await rest(pilot)

    assert looks(app, body, (80, 24))


def test_a_second_question_waits_under_the_first(chats: Chats, clock: StillClock, looks: Looks) -> None:
    gate = Gate(lambda event: isinstance(event, TextGenerated))
    app = chats.open_still(ScriptedModel(["One.", "Two."], on_event=held_at(clock, gate)), clock)

    async def body(pilot: Any) -> None:
        await send(pilot, "Which is the first?")
        await until(pilot, lambda: gate.reached.is_set() and not any(m._waits for m in app.chat.meters))
        await send(pilot, "And which is the second?")

    try:
        assert looks(app, body, (80, 24))
    finally:
        gate.opened.set()


def test_a_line_says_what_was_folded(chats: Chats, clock: StillClock, looks: Looks) -> None:
    told = ["The first is rather long. " * 12, "The second as well. " * 12, JITTER, SUMMARY]
    app = chats.open_still(ScriptedModel(told, window=4096, on_event=clock), clock)

    async def body(pilot: Any) -> None:
        await asking(HOW, "And then?", WHAT)(pilot)
        await send(pilot, "/compact")
        await until(pilot, lambda: app.chat.transcript.query(FoldedLine))
        await rest(pilot)

    assert looks(app, body)


def test_a_draft_that_does_not_fit_is_told_before_it_is_sent(
    chats: Chats, clock: StillClock, looks: Looks
) -> None:
    app = chats.open_still(ScriptedModel([JITTER], on_event=clock), clock)

    async def body(pilot: Any) -> None:
        await asking(WHAT)(pilot)
        app.chat.composer.write(Written("Why? " * 500))
        await until(pilot, lambda: "does not fit" in seen(app))

    assert looks(app, body)


def test_a_model_that_cannot_be_opened_leaves_ways_on(chats: Chats, clock: StillClock, looks: Looks) -> None:
    model = ScriptedModel([ModelError("/models/scripted.gguf: the file is cut: 12 of 30 tensors are there")])
    app = chats.open_still(model, clock)

    async def body(pilot: Any) -> None:
        await send(pilot, "Are you well?")
        await until(pilot, lambda: isinstance(app.screen, FailureScreen) and app.screen.focused)
        await rest(pilot)

    assert looks(app, body)


def test_conversations_are_listed_last_used_first(chats: Chats, clock: StillClock, looks: Looks) -> None:
    app = chats.open_still(ScriptedModel([JITTER, "Yes."], on_event=clock), clock)

    async def body(pilot: Any) -> None:
        await asking(WHAT)(pilot)
        await send(pilot, "/new")
        await asking("Is the deadline a day or an hour?")(pilot)
        await send(pilot, "/conversations")
        await until(pilot, lambda: isinstance(app.screen, ConversationsScreen) and "2 of 2" in seen(app))

    assert looks(app, body)


def test_the_plan_tells_what_other_choices_cost(chats: Chats, clock: StillClock, looks: Looks) -> None:
    app = chats.open_still(ScriptedModel([RETRY, JITTER], window=4096, on_event=clock), clock)

    async def body(pilot: Any) -> None:
        await asking(HOW, WHAT)(pilot)
        await send(pilot, "/plan")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen) and "change" in seen(app))
        await pilot.press("left", "left", "left", "left", "left", "left", "left", "left")

    assert looks(app, body)
