"""Lines on their way through the rules, each knowing what it stands for."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Lines:
    """Parallel lists. `origin` is a line's place among the lines before they were folded, `stands` how
    many lines of the text it stands for, and `shown` 1 for a line of the text and 0 for a mark."""

    texts: list[str] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)
    stands: list[int] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)

    @staticmethod
    def of(texts: list[str]) -> "Lines":
        ones = [1] * len(texts)
        return Lines(texts, list(range(len(texts))), ones, list(ones))

    def add(self, text: str, origin: int, stands: int = 1, shown: int = 1) -> None:
        self.texts.append(text)
        self.origin.append(origin)
        self.stands.append(stands)
        self.shown.append(shown)

    def take(self, lines: "Lines", index: int) -> None:
        """Adds a line of others as it is there."""
        self.add(lines.texts[index], index, lines.stands[index], lines.shown[index])

    def renumbered(self) -> "Lines":
        """The same lines, counted anew."""
        return Lines(self.texts, list(range(len(self.texts))), self.stands, self.shown)

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


def mark(words: str) -> str:
    """How an omission stands in the text."""
    return f"[… {words}]"


def amount(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def clipped(text: str, most: int) -> str:
    """A text of no more than `most` characters and a mark for what it lost in its middle."""
    if len(text) <= most:
        return text
    head, tail = most * 2 // 3, most // 3
    return f"{text[:head]}{mark(f'{len(text) - head - tail:,} characters')}{text[-tail:]}"
