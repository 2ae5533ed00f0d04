"""Conversations: found by name or by what was said, renamed, forked, deleted, gone on with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from ctxchat.display import amounts
from ctxchat.display.dates import minutes
from ctxchat.display.plain_text import one_line
from ctxchat.domain.conversation import Conversation, ConversationSummary, SearchHit
from ctxchat.service.conversations import ConversationService
from ctxchat.service.transcripts import speaker
from ctxchat.tui.screens.confirm import ConfirmScreen
from ctxchat.tui.screens.list_screen import ListScreen, holds_words
from ctxchat.tui.screens.prompt import PromptScreen
from ctxchat.tui.screens.rows import Column, Row

_HITS = 200
_PAUSE = 0.2
"""Seconds without a key before messages are searched."""


@dataclass(frozen=True, slots=True)
class ConversationsClosed:
    """The id of the conversation to go on with, None to stay; the ids of those that were given another
    name, and of those that are gone: the current one may be among them."""

    opened: str | None = None
    renamed: frozenset[str] = frozenset()
    deleted: frozenset[str] = frozenset()


class ConversationsScreen(ListScreen[ConversationsClosed]):
    """Last used first; `current` is the id of the one that is open."""

    HEADING = "Conversations"
    TYPE_HERE = "type a name, or words that were said"
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("name", needed=True),
        Column("used", 16, needed=True),
        Column("turns", 6, right=True),
        Column("tokens", 9, right=True),
        Column("on disk", 9, right=True),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "rename", "Rename", priority=True),
        Binding("ctrl+f", "fork", "Fork", priority=True),
        Binding("ctrl+d", "delete", "Delete", priority=True),
    ]

    def __init__(self, conversations: ConversationService, current: str | None) -> None:
        super().__init__()
        self._conversations, self._current = conversations, current
        self._all: Sequence[ConversationSummary] = ()
        self._hits: dict[str, list[SearchHit]] = {}
        self._outcome = ConversationsClosed()

    def on_mount(self) -> None:
        self._read(at=self._current)

    def result(self) -> ConversationsClosed:
        return self._outcome

    def filtered(self) -> None:
        self._hits = {}
        self._show()
        words = self.typed
        self.workers.cancel_group(self, "searching")
        if words.strip():
            self.set_timer(_PAUSE, lambda: self._search(words))

    def detail(self, key: str) -> str:
        """The best message that holds the words."""
        hits = self._hits.get(key, [])
        if not hits:
            return ""
        more = f" (and {len(hits) - 1:,} more)" if len(hits) > 1 else ""
        best = hits[0]
        return f"{speaker(None, best.role)}, {minutes(best.at)}{more}: {one_line(best.text[:2000])}"

    def choose(self, key: str) -> None:
        self.dismiss(replace(self._outcome, opened=key))

    def action_rename(self) -> None:
        if found := self._chosen():
            key, name = found.id, found.name

            def rename(typed: str | None) -> None:
                if typed is not None and typed != name:
                    self.in_thread(
                        lambda: self._conversations.rename(key, typed), lambda _: self._renamed(key)
                    )

            self.app.push_screen(PromptScreen(f'A new name for "{name}"', name), rename)

    def action_fork(self) -> None:
        if found := self._chosen():
            key = found.id
            self.in_thread(lambda: self._conversations.fork(key), self._forked, group="changing")

    def action_delete(self) -> None:
        if found := self._chosen():

            def delete(yes: bool | None) -> None:
                if yes:
                    self.in_thread(
                        lambda: self._conversations.delete(found),
                        lambda _: self._deleted(found),
                        group="changing",
                        exclusive=False,
                    )

            question = f'Delete "{found.name}", with all that only it holds? It cannot be brought back.'
            self.app.push_screen(ConfirmScreen(question, yes="Delete", no="Keep"), delete)

    def _read(self, at: str | None = None) -> None:
        def take(found: Sequence[ConversationSummary]) -> None:
            self._all = found
            self._show(at)
            if not found:
                self.say("nothing was said yet: what you ask makes a conversation")

        self.in_thread(self._conversations.listing, take)

    def _show(self, at: str | None = None) -> None:
        """Those whose name holds what is typed, then those in which it was said."""
        named = [one for one in self._all if holds_words(one.conversation.name, self.typed)]
        seen = {one.conversation.id for one in named}
        said = [one for one in self._all if one.conversation.id in self._hits.keys() - seen]
        self.rows.show([self._row(one) for one in (*named, *said)], at)
        if self._all:
            found = f"{len(named) + len(said):,} of {len(self._all):,}"
            self.say(found + (f", {len(said):,} by what was said" if said else ""))
        self.show_detail()

    def _row(self, one: ConversationSummary) -> Row:
        conversation = one.conversation
        mark = "● " if conversation.id == self._current else ""
        cells = (
            mark + conversation.name,
            minutes(conversation.updated),
            amounts.count(one.turns),
            amounts.count(one.tokens),
            amounts.size(one.snapshot_bytes) if one.snapshot_bytes else amounts.DASH,
        )
        return Row(conversation.id, cells)

    def _search(self, words: str) -> None:
        if words == self.typed:
            self.in_thread(
                lambda: self._conversations.search(words, _HITS),
                lambda hits: self._searched(words, hits),
                group="searching",
            )

    def _searched(self, words: str, hits: Sequence[SearchHit]) -> None:
        if words == self.typed:
            for hit in hits:
                self._hits.setdefault(hit.conversation, []).append(hit)
            self._show(at=self.rows.current)

    def _chosen(self) -> Conversation | None:
        key = self.rows.current
        return next((one.conversation for one in self._all if one.conversation.id == key), None)

    def _renamed(self, key: str) -> None:
        self._outcome = replace(self._outcome, renamed=self._outcome.renamed | {key})
        self._read(at=key)

    def _forked(self, fork: Conversation) -> None:
        self._read(at=fork.id)

    def _deleted(self, gone: Conversation) -> None:
        self._outcome = replace(self._outcome, deleted=self._outcome.deleted | {gone.id})
        self._read()
