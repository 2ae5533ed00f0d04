"""A hand at the terminal UI, and what it proves of each command."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

from ctxchat.tui.app import ChatApp
from tests.support.chats import seen, send, until


@dataclass
class Hand:
    """A chat of one turn, and what can be done in it."""

    pilot: Pilot[int]
    app: ChatApp
    folder: Path

    async def write(self, line: str) -> None:
        await send(self.pilot, line)

    async def until(self, holds: Callable[[], object]) -> None:
        await until(self.pilot, holds)

    async def sees(self, words: str) -> None:
        await self.until(lambda: words in seen(self.app))

    async def says(self, words: str) -> None:
        """Wait for a line in the corner, wherever it wraps."""
        await self.until(lambda: any(words in told.message for told in self.app._notifications))

    @property
    def answers(self) -> list[str]:
        return [turn.shown.answer for turn in self.app.chat.transcript.turns]


Proof = Callable[[Hand], Awaitable[None]]
PROOFS: dict[str, Proof] = {}


def proves(name: str) -> Callable[[Proof], Proof]:
    def keep(proof: Proof) -> Proof:
        PROOFS[name] = proof
        return proof

    return keep


def opens(name: str, words: str) -> None:
    """Proves a command that opens a screen, which Escape closes."""

    @proves(name)
    async def proof(hand: Hand) -> None:
        await hand.write(f"/{name}")
        await hand.until(lambda: hand.app.screen is not hand.app.chat)
        await hand.sees(words)
        await hand.pilot.press("escape")
        await hand.until(lambda: hand.app.screen is hand.app.chat)


async def send_only(hand: Hand, line: str) -> None:
    """Send a line behind which nothing can be waited for: the chat is over."""
    hand.app.chat.composer.set_text(line)
    await hand.pilot.pause()
    await hand.pilot.press("enter")
    while hand.app.is_running and hand.app.return_value is None:
        await asyncio.sleep(0.01)
