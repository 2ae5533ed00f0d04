"""The model that answers: found at the first need of it, and changed for another."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from ctxchat.domain.errors import EngineError

if TYPE_CHECKING:
    from ctxchat.domain.ports import Model
    from ctxchat.domain.prices import Prices


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model, loaded or not, what the person should be told of how it was chosen, and what its tokens
    cost."""

    model: "Model"
    notice: str | None = None
    prices: "Prices | None" = None


class ModelInUse:
    """One model at a time. It is closed by the thread that asks it, never while another counts with it."""

    def __init__(self, open_model: Callable[[], OpenedModel]) -> None:
        self._open_model = open_model
        self._closing = Lock()
        self.model: Model | None = None
        self.prices: Prices | None = None

    def opened(self) -> OpenedModel:
        """The model; its notice is given the first time. Raises ModelError."""
        if self.model is not None:
            return OpenedModel(self.model, prices=self.prices)
        opened = self._open_model()
        self.model, self.prices = opened.model, opened.prices
        return opened

    def change(self, open_model: Callable[[], OpenedModel]) -> None:
        """Close the model: the next one is opened at need."""
        self.close()
        self._open_model = open_model

    @contextmanager
    def staying_open(self) -> "Iterator[Model]":
        """The model, not closed meanwhile. Raises EngineError where there is none."""
        with self._closing:
            if self.model is None:
                raise EngineError("no model is loaded")
            yield self.model

    def close(self) -> None:
        """Give the model's memory back."""
        with self._closing:
            if self.model is not None:
                self.model.close()
                self.model = None
