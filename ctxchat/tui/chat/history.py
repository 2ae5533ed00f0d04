"""Questions that were asked, for the keys Up and Down."""

from collections.abc import Sequence


class History:
    """Earlier questions, oldest first, and behind them the one that is being written."""

    def __init__(self) -> None:
        self._questions: list[str] = []
        self._at = 0
        self._unsent = ""

    def begin(self, questions: Sequence[str]) -> None:
        """The questions of another conversation."""
        self._questions = list(questions)
        self._at = len(self._questions)

    def add(self, question: str) -> None:
        """A question that was asked now."""
        if question and self._questions[-1:] != [question]:
            self._questions.append(question)
        self._at = len(self._questions)
        self._unsent = ""

    def moved(self, step: int, written: str) -> str | None:
        """The question that many steps on, None where there is none; what is `written` now is kept as the
        last one."""
        at = self._at + step
        if not 0 <= at <= len(self._questions):
            return None
        if self._at == len(self._questions):
            self._unsent = written
        self._at = at
        return self._questions[at] if at < len(self._questions) else self._unsent
