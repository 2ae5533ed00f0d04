"""The KV cache as the service sees it, in memory and on disk."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.model import CachePlan, Restoration


class KvCache(Protocol):
    """The cells a model holds, by sequence: 0 the chat, 1 side work, 2 what the chat held when its
    turn began (where a sequence cannot be cut back), 3 the branch left last."""

    @property
    def type_k(self) -> str: ...

    @property
    def type_v(self) -> str: ...

    @property
    def bytes_per_token(self) -> int: ...

    def bytes_per_token_with(self, type_k: str) -> int | None:
        """Bytes of a cell if its keys were of another type, None where they cannot be."""

    @property
    def capacity(self) -> int:
        """Cells allocated, 0 before the first prompt."""

    def cells(self, sequence: int = 0) -> int:
        """Cells the sequence holds."""

    def plan(self, ids: Sequence[int], limit: int) -> CachePlan:
        """How a prompt with an answer of up to `limit` tokens would meet the chat's cells, or those of the
        branch left last where it shares more with them."""

    def go_back_to(self, ids: Sequence[int]) -> None:
        """Let the chat and the branch left last change places where a prompt shares more with the branch:
        side work shares with the chat alone."""

    def fork(self, source: int, target: int, cells: int) -> None:
        """Make `target` hold the first `cells` of `source`, shared and not copied."""

    def trim(self, sequence: int, cells: int) -> None:
        """Keep the first `cells` of a sequence."""

    def drop(self, sequence: int) -> None:
        """Empty a sequence."""

    def restorable(self, ids: Sequence[int]) -> int:
        """How many tokens a prompt has in common with what is kept on disk, by what the files say of
        themselves."""

    def restore(self, ids: Sequence[int], limit: int) -> Restoration:
        """Fill the chat's cells from disk as far as that brings a prompt, with an answer of up to `limit`
        tokens, further than they do. What is damaged is removed, and what is sound before it is used.
        Raises ModelError where cells cannot be allocated."""

    def kept_apart(self, holder: str) -> str | None:
        """What sets the way of running apart under which a conversation is kept on disk, as "another type of
        keys", None where it is kept under this one too, or nowhere."""

    def save(self, holder: str, ids: Sequence[int], cancel: Cancel) -> None:
        """Keep on disk, for a conversation, what of `ids` is in the chat's cells, and let go what was
        kept for it before. Raises StoreError. Where it is cancelled, what was written stays."""


class PrefixCache(Protocol):
    """What a server keeps of the prompts it was sent, as far as it is known here."""

    def expected(self, ids: Sequence[int]) -> int | None:
        """Tokens of a prompt that it will find cached, None where that is not known."""


class Snapshots(Protocol):
    """KV snapshots on disk, by the conversations that hold them."""

    def share(self, holder: str, other: str) -> None:
        """Let another conversation hold what this one does. Raises StoreError."""

    def release(self, holder: str) -> None:
        """Remove what this conversation alone holds. Raises StoreError."""

    def sizes(self) -> Mapping[str, int]:
        """Bytes by conversation. What several hold counts in full for each of them."""
