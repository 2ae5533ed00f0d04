"""Text as it comes: whole characters only, and nothing that may still turn out to be a marker."""

import codecs


class Characters:
    """Bytes to text. A token may end within a character, which waits for the bytes it lacks."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, piece: bytes) -> str:
        return self._decoder.decode(piece)

    def finish(self) -> str:
        """What never became a whole character, replaced."""
        return self._decoder.decode(b"", final=True)

    @property
    def whole(self) -> bool:
        """Whether all that was fed has been given out."""
        return not self._decoder.getstate()[0]


class MarkerSearch:
    """Text up to the first of some markers, however the text is cut.

    The end of the text is held back for as long as it could be the beginning of a marker. Where
    markers overlap, the one that is complete first counts.
    """

    def __init__(self, markers: tuple[str, ...]) -> None:
        self._markers = tuple(marker for marker in markers if marker)
        self._held = ""
        self.found: str | None = None
        self.rest = ""

    def feed(self, text: str) -> str:
        """What is certainly before a marker. Once one is found, `rest` is the text behind it."""
        if not self._markers:
            return text
        seen = self._held + text
        ends = [(at + len(m), at, m) for m in self._markers if (at := seen.find(m)) >= 0]
        if ends:
            end, begin, self.found = min(ends)
            self._held, self.rest = "", seen[end:]
            return seen[:begin]
        keep = max(_overlap(seen, marker) for marker in self._markers)
        self._held = seen[len(seen) - keep :]
        return seen[: len(seen) - keep]

    def finish(self) -> str:
        """What was held back, now that no more comes."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, marker: str) -> int:
    """How many characters at the end of `text` could begin `marker`."""
    longest = min(len(text), len(marker) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(marker[:n])), 0)
