"""What is kept on disk of the KV cache, as the service sees it."""

from collections.abc import Mapping
from typing import Protocol


class Snapshots(Protocol):
    """KV snapshots on disk, by the conversations that hold them."""

    def share(self, holder: str, other: str) -> None:
        """Let another conversation hold what this one does. Raises StoreError."""

    def release(self, holder: str) -> None:
        """Remove what this conversation alone holds. Raises StoreError."""

    def sizes(self) -> Mapping[str, int]:
        """Bytes by conversation. What several hold counts in full for each of them."""
