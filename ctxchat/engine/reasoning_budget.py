"""Reasoning that has had its tokens is ended: the closing tag is written for the model."""

from ctxchat.domain.model import Generation
from ctxchat.domain.ports import Vocabulary
from ctxchat.engine.answer_stream import AnswerStream


class ReasoningBudget:
    """Says which tokens of a generation are not the model's to choose.

    Its tokens between the tags count, the tags do not. A character that was begun is finished
    first, which may take up to three tokens more.
    """

    def __init__(self, generation: Generation, vocabulary: Vocabulary) -> None:
        self._tags = generation.reasoning
        self._left = generation.reasoning_budget
        self._vocabulary = vocabulary
        self._ending: list[int] = []

    def forced(self, stream: AnswerStream, after: int) -> int | None:
        """The id that comes next behind the id `after`, None where the model chooses it."""
        if self._tags is None:
            return None
        if not self._ending and self._left is not None and stream.reasons:
            if self._left > 0:
                self._left -= 1
            elif stream.whole:
                self._left = None
                self._ending = list(self._vocabulary.tokenize(self._tags.ending, special=True, after=after))
        return self._ending.pop(0) if self._ending else None
