"""A chat with a model at a server: what is not known is no number, and what it costs stands on the screen."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from ctxchat.domain.errors import EngineError
from ctxchat.service.model_in_use import OpenedModel
from ctxchat.tui.app import ChatApp
from ctxchat.tui.screens.failure import FailureScreen
from ctxchat.tui.screens.models import ModelsScreen
from tests.support.chats import Chats, ask, seen, send, until
from tests.support.late_services import with_late_services
from tests.support.served import PRICES, ServedModel

Body = Callable[[Any], Coroutine[Any, Any, None]]


def in_chat(app: ChatApp, body: Body) -> None:
    async def run() -> None:
        async with app.run_test(size=(120, 46), notifications=True) as pilot:
            await body(pilot)

    asyncio.run(run())


def at_server(chats: Chats, model: ServedModel) -> ChatApp:
    app = chats.open(model)
    chats.desk.service.use_model(lambda: OpenedModel(model, prices=PRICES))
    return app


def test_meters_tell_what_the_server_said_and_what_it_cost(chats: Chats) -> None:
    model = ServedModel(["Yes, it does.", "In spring."])
    app = at_server(chats, model)

    async def body(pilot: Any) -> None:
        await ask(pilot, "Does it nest here?")
        await ask(pilot, "And when?")
        await until(pilot, lambda: "EUR" in seen(app))
        shown, kv = seen(app), app.receipts[-1].kv
        assert kv is not None
        assert f"KV {kv.cells:,}" in shown
        assert "at the server" in shown
        assert f"{kv.reused:,} reused" in shown
        assert " B" not in shown.partition("KV cache")[2].partition("Last turn")[0]
        await send(pilot, "/plan")
        await until(pilot, lambda: "money, prompt" in seen(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)

    in_chat(app, body)
    assert len(model.generations) == 2


def test_a_server_that_fails_can_be_asked_again(chats: Chats) -> None:
    app = at_server(chats, ServedModel([EngineError("the server broke off"), "Yes."]))

    async def body(pilot: Any) -> None:
        await send(pilot, "Are you well?")
        await until(pilot, lambda: isinstance(app.screen, FailureScreen) and "broke off" in seen(app))
        await pilot.press("enter")
        await until(pilot, lambda: [t.shown.answer for t in app.chat.transcript.turns] == ["Yes."])

    in_chat(app, body)


def test_a_running_conversation_goes_on_at_a_server_that_is_chosen(chats: Chats, tmp_path: Path) -> None:
    app = chats.open()

    async def body(pilot: Any) -> None:
        await ask(pilot, "One?")
        with with_late_services(app, tmp_path):
            await send(pilot, "/model")
            await until(pilot, lambda: isinstance(app.screen, ModelsScreen) and "server:lab" in seen(app))
            await pilot.press(*"lab", "enter")
            await until(pilot, lambda: app.screen is app.chat and not app.chat.work.working)
            await ask(pilot, "Two?")
            assert app.chat.transcript.turns[-1].shown.answer == "From the lab."
            assert app.receipts[-1].cost is not None

    in_chat(app, body)
