"""Which conversation is open, and what it is called."""

from contextlib import suppress
from pathlib import Path

from ctxchat.domain.errors import CtxChatError, UsageError
from ctxchat.service.transcripts import TranscriptFormat
from ctxchat.tui import unsent
from ctxchat.tui.acting.base import Acting
from ctxchat.tui.acting.turns import message_of
from ctxchat.tui.chat.turn_view import TurnView


class ConversationActions(Acting):
    async def open_start(self) -> None:
        """Open what the command line named; a name that there is not begins a new conversation."""
        start, conversations = self.app.start, self.services.conversations
        if start.session is None and not start.resume:
            self.app.talk.entitle()
            return
        try:
            meant = (await self.read(lambda: conversations.resolve(start.session))).id
        except UsageError:
            self.app.asking.name = start.session
            self.app.talk.entitle()
            return
        if start.fork:
            meant = (await self.change(lambda: conversations.fork(meant))).id
        await self.app.talk.open(meant)

    async def let_go(self) -> None:
        """Forget what was not sent in conversations that are gone."""
        kept = set(unsent.conversations())
        with suppress(CtxChatError):
            known = await self.read(self.services.conversations.listing) if kept else []
            for gone in kept.difference(summary.conversation.id for summary in known):
                unsent.forget(gone)

    async def new(self, name: str) -> None:
        self.still()
        await self.app.talk.open(None)
        self.app.asking.name = name or None
        self.app.talk.entitle()
        self.chat.composer.area.focus()

    async def rename(self, name: str) -> None:
        if not name:
            raise UsageError("give the name: /rename NAME")
        if self.app.asking.conversation is None:
            self.app.asking.name = name or None
        else:
            conversation = self.conversation
            await self.change(lambda: self.services.conversations.rename(conversation, name))
            self.app.asking.name = name
        self.app.talk.entitle()

    async def fork(self, _: str = "", turn: TurnView | None = None) -> None:
        conversation, at = self.conversation, message_of(turn)
        copy = await self.change(lambda: self.services.conversations.fork(conversation, at))
        await self.app.talk.open(copy.id)
        self.say(f"this is a copy, “{copy.name}”: the original stays as it is")

    async def export(self, name: str) -> None:
        reference = self.conversation
        transcript = await self.read(lambda: self.services.conversations.transcript(reference))
        path = Path(name or f"{transcript.conversation.name}.md".replace("/", "-")).expanduser()
        try:
            form = TranscriptFormat(path.suffix.removeprefix(".") or "md")
        except ValueError:
            raise UsageError(f"{path.name}: an export ends in .md, .jsonl or .json") from None
        if path.exists():
            raise UsageError(f"{path} is there already: give another name")
        try:
            path.write_text(transcript.written(form), "utf-8", errors="replace")
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from error
        self.say(f"written to {path}")

    async def conversations(self, _: str) -> None:
        from ctxchat.tui.screens.conversations import ConversationsScreen

        current = self.app.asking.conversation
        closed = await self.ask_quietly(ConversationsScreen(self.services.conversations, current))
        if closed is None:
            return
        for gone in closed.deleted:
            unsent.forget(gone)
        if closed.opened is not None and closed.opened != current:
            await self.app.talk.open(closed.opened)
        elif current in closed.deleted:
            await self.app.talk.open(None)
        elif current in closed.renamed:
            meant = await self.read(lambda: self.services.conversations.resolve(current))
            self.app.asking.name = meant.name
            self.app.talk.entitle()
