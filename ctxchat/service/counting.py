"""How many tokens a text is for the model that would answer."""

from collections.abc import Callable
from functools import cached_property

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import ModelError
from ctxchat.domain.ports import Model, Vocabulary


class TokenCounter:
    """Counts with the vocabulary of the model that `open_model` finds; its weights are not read."""

    def __init__(self, open_model: Callable[[], Model]) -> None:
        self._open_model = open_model
        self._counted: dict[str, int] = {}

    @property
    def exact(self) -> bool:
        """False where counts are estimates. Raises ModelError."""
        return self._vocabulary.exact

    def count(self, text: str) -> int:
        """Raises ModelError. A text is counted once: many questions find the same passages."""
        if text not in self._counted:
            self._counted[text] = len(self._vocabulary.tokenize(text, special=False, after=None))
        return self._counted[text]

    def known(self, text: str) -> int | None:
        """The count, or None where there is no model."""
        try:
            return self.count(text)
        except ModelError:
            return None

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        model = self._open_model()
        for _ in model.load(Cancel(), weights=False):
            pass
        return model.vocabulary
