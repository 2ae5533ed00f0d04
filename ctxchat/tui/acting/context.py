"""What the model is given: attachments, memory, summaries, and other models."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import UsageError
from ctxchat.domain.events import TurnEvent
from ctxchat.tui.acting.base import Acting, loaded
from ctxchat.tui.chat.written import Written
from ctxchat.tui.mentions import looks_like_a_path, mentioned, present
from ctxchat.tui.start import Read


class ContextActions(Acting):
    async def with_mentioned(self, draft: Written) -> Written:
        """A draft with the files attached that are named `@path` in it. Raises UsageError."""
        attachments = list(draft.attachments)
        for name in mentioned(draft.text):
            if present(name):
                attachments += (await self._read(name, draft.text, table=False)).attachments
            elif looks_like_a_path(name):
                raise UsageError(f"@{name}: there is no such file (in quotes, it is no file)")
        return replace(draft, attachments=tuple(attachments))

    async def attach(self, path: str) -> None:
        for attachment in (await self._read(path, "", table=False)).attachments:
            self.chat.composer.attach(attachment)

    async def data(self, path: str) -> None:
        for attachment in (await self._read(path, "", table=True)).attachments:
            self.chat.composer.attach(attachment, table=True)

    async def _read(self, path: str, question: str, *, table: bool) -> Read:
        if not path:
            raise UsageError("give a path")
        read = await asyncio.to_thread(self.app.start.read, path, question, table)
        for warning in read.warnings:
            self.say(warning)
        return read

    async def system(self, text: str) -> None:
        asking = self.app.asking
        if not text:
            held, reference = asking.system, asking.conversation
            if reference is not None:
                held = (await self.read(lambda: self.services.conversations.resolve(reference))).system
            self.say(f"system: {held}" if held is not None else "the system message is that of the settings")
        elif asking.conversation is not None:
            raise UsageError("the system message of a conversation cannot change: /new begins another")
        else:
            asking.system = text
            self.say("that is the system message of this conversation")

    async def think(self, wanted: str) -> None:
        asking = self.app.asking
        if wanted.isascii() and wanted.isdigit():
            asking.think_budget = int(wanted)
            self.say(f"reasoning: at most {asking.think_budget:,} tokens")
            return
        if wanted not in ("on", "off", "auto"):
            raise UsageError("/think on, /think off, /think auto, or /think TOKENS")
        asking.think = {"on": True, "off": False}.get(wanted)
        if wanted == "auto" or asking.think_budget == 0:
            asking.think_budget = None
        self.say(f"reasoning: {wanted}")

    async def temperature(self, number: str) -> None:
        try:
            value = float(number)
        except ValueError:
            raise UsageError("/temperature X, a number from 0 up") from None
        if not 0 <= value <= 100:
            raise UsageError("/temperature X, a number from 0 up")
        self.app.asking.with_temperature(value)
        self.say(f"temperature {value:g}")

    async def remember(self, text: str) -> None:
        if not text:
            raise UsageError("give the text: /remember TEXT")
        await self.change(lambda: self.services.memory.add(text))
        self.say("remembered, in all conversations")

    async def forget(self, reference: str) -> None:
        if not reference:
            raise UsageError("give the id: /forget ID (/notes shows them)")
        await self.change(lambda: self._forgotten(reference))
        self.say("forgotten, wherever it stood")
        self.app.talk.count_draft()

    def _forgotten(self, reference: str) -> None:
        """Forget what is remembered under an id; a note, where nothing is. Raises UsageError."""
        try:
            self.services.memory.forget(reference)
        except UsageError:
            if any(text.id.startswith(reference) for text in self.services.memory.listing()):
                raise
            self.services.notes.remove([reference], None)

    async def notes(self, _: str) -> None:
        from ctxchat.tui.screens.notes import NotesScreen

        screen = NotesScreen(lambda: self.services.notes, lambda: self.services.memory)
        closed = await self.ask_quietly(screen)
        if closed is not None and closed.changed:
            self.app.talk.count_draft()

    async def model(self, name: str) -> None:
        self.still()
        if not name:
            name = await self._chosen_model()
        if name:
            self._switch_model(name)

    def _switch_model(self, reference: str) -> None:
        """Load another model in the place of the one in use; the conversation stays."""

        def events(cancel: Cancel) -> Iterator[TurnEvent]:
            self.services.chat.use_model(self.services.models.opener(reference))
            yield from self.services.chat.load(cancel)

        self.app.receipts.clear()
        self.chat.begin(events)

    async def _chosen_model(self) -> str:
        from ctxchat.tui.screens.models import ModelsScreen

        in_use = loaded(self.services.chat.model)
        current = in_use.path if in_use is not None else None
        chosen = await self.ask_screen(ModelsScreen(lambda: self.services.models, current))
        return chosen.reference if chosen else ""

    def themes(self) -> Sequence[str]:
        return sorted(self.app.available_themes)

    async def theme(self, name: str) -> None:
        if not name:
            self.app.search_themes()
        elif name in self.app.available_themes:
            self.app.theme = name
        else:
            raise UsageError(f"there is no theme {name}: /theme shows them")
