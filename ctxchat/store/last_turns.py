"""A record that gives out the last turns alone, as a chat with a sliding window sends them."""

from ctxchat.domain.conversation import Message, Role
from ctxchat.store.conversations import SqliteConversations
from ctxchat.store.database import Database


class LastTurns(SqliteConversations):
    """Paths hold the last `turns` that were answered, None for all of them."""

    def __init__(self, database: Database, turns: int | None = None) -> None:
        super().__init__(database)
        self.turns = turns
        self._held = 0

    def path(self, conversation: str, vocabulary: str | None = None) -> tuple[Message, ...]:
        whole = super().path(conversation, vocabulary)
        begins = [at for at, m in enumerate(whole) if m.role is Role.USER and m.answered]
        first = 0 if self.turns is None else max(0, len(begins) - self.turns)
        self._held = len(begins) - first
        if first == 0:
            return whole
        return whole[begins[first] if first < len(begins) else _behind_answers(whole) :]

    def narrow(self) -> bool:
        """Give out one turn less than last time, from now on; False where there was none."""
        if self._held == 0:
            return False
        self.turns = self._held - 1
        return True


def _behind_answers(path: tuple[Message, ...]) -> int:
    return 1 + max(at for at, message in enumerate(path) if message.role is Role.ASSISTANT)
