"""What a server has cached, as far as this process has filled it."""

from collections.abc import Sequence

from ctxchat.engine.prefix import common_prefix


class SentPrefixes:
    """The last prompts that were sent, each with its answer; see `domain.kv.PrefixCache`.

    A server keeps `places` of them apart, and its cache in blocks of `block` tokens. Where `is_known` is
    False it is not known to have one.
    """

    def __init__(self, places: int, block: int, *, is_known: bool) -> None:
        self._places, self._block, self._is_known = places, block, is_known
        self._sent: list[tuple[int, ...]] = []

    def expected(self, ids: Sequence[int]) -> int | None:
        """See `PrefixCache`. The last token of a prompt is always read."""
        if not self._is_known or not self._sent:
            return None
        prompt = tuple(ids)
        common = max(common_prefix(sent, prompt) for sent in self._sent)
        return min(common, max(len(prompt) - 1, 0)) // self._block * self._block

    def sent(self, prompt: Sequence[int], read: Sequence[int]) -> None:
        """Note a prompt, and what was decoded behind it and read again."""
        whole = (*prompt, *read)
        kept = [sent for sent in self._sent if common_prefix(sent, whole) < len(sent)]
        self._sent = [*kept, whole][-self._places :]
