"""Each command of the table does what its line in the help says."""

import asyncio
from pathlib import Path

import pytest

from ctxchat.tui.commands import BY_NAME, COMMANDS, Command
from tests.support.chats import SIZE, Chats, ask
from tests.support.command_proofs import ANSWERS
from tests.support.hand import PROOFS, Hand
from tests.support.late_services import with_late_services
from tests.support.scripted import ScriptedModel


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_does_what_the_help_says(command: Command, chats: Chats, tmp_path: Path) -> None:
    app = chats.open(ScriptedModel(ANSWERS))

    async def run() -> None:
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            await ask(pilot, "First?")
            await PROOFS[command.name](Hand(pilot, app, tmp_path))

    with with_late_services(app, tmp_path):
        asyncio.run(run())


def test_no_proof_is_of_a_command_that_is_gone() -> None:
    assert PROOFS.keys() == BY_NAME.keys()
