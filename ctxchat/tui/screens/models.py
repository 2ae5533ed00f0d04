"""Model files: listed, looked into, chosen."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType

from ctxchat.display import amounts
from ctxchat.display.ledger import aligned
from ctxchat.display.plain_text import one_line
from ctxchat.domain.model import SERVER, ModelFile
from ctxchat.service.model_service import ModelService
from ctxchat.tui.screens.list_screen import ListScreen, holds_words
from ctxchat.tui.screens.rows import Column, Row
from ctxchat.tui.screens.text import TextScreen


@dataclass(frozen=True, slots=True)
class ModelChosen:
    """The model to go on with."""

    reference: str
    name: str


class ModelsScreen(ListScreen[ModelChosen | None]):
    """`current` is the path of the model in use; the service is made in the thread that needs it first."""

    HEADING = "Models"
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("name", needed=True),
        Column("size", 9, right=True, needed=True),
        Column("quant", 8),
        Column("window", 9, right=True),
        Column("KV a token", 10, right=True),
        Column("source", 16),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Switch to it", priority=True),
        Binding("ctrl+t", "info", "All of it", priority=True),
        Binding("ctrl+s", "use", "Use from now on", priority=True),
    ]

    def __init__(self, models: Callable[[], ModelService], current: str | None) -> None:
        super().__init__()
        self._models, self._current = models, current
        self._all: Sequence[ModelFile] = ()

    def on_mount(self) -> None:
        self.say("looking for model files …")
        self.in_thread(lambda: self._models().listing(), self._listed)

    def filtered(self) -> None:
        self._show()

    def _show(self, at: str | None = None) -> None:
        kept = [model for model in self._all if holds_words(f"{model.name} {model.path}", self.typed)]
        self.rows.show([self._row(model) for model in kept], at)
        self.say(f"{len(kept):,} of {len(self._all):,}" if self._all else "there are no model files")

    def detail(self, key: str) -> str:
        model = self._model(key)
        if model is None:
            return ""
        if model.error:
            return model.error
        if model.source == SERVER:
            return f"a model at a server, asked when it is chosen\n{one_line(model.path)}"
        parts = [model.architecture or amounts.DASH, f"{amounts.count(model.parameters)} parameters"]
        return f"{', '.join(parts)}\n{one_line(model.path)}"

    def choose(self, key: str) -> None:
        model = self._model(key)
        if model is None:
            return
        if model.error:
            self.say(f"{model.name} cannot be used: {model.error}", wrong=True)
        else:
            self.dismiss(ModelChosen(model.reference, model.name))

    def action_info(self) -> None:
        if path := self.rows.current:
            self.in_thread(lambda: self._models().info(path), self._show_info)

    def action_use(self) -> None:
        """Make a model the one that is used where none is named."""
        if path := self.rows.current:

            def use() -> str:
                service = self._models()
                used = service.use(path)
                return f"{service.settings_file}: model.path is {used}, from the next start on"

            self.in_thread(use, self.say, group="changing", exclusive=False)

    def _listed(self, found: Sequence[ModelFile]) -> None:
        self._all = found
        self._show(at=next((model.reference for model in found if self._is_current(model)), None))
        self.show_detail()

    def _show_info(self, found: tuple[ModelFile, dict[str, object]]) -> None:
        model, metadata = found
        rows = {**asdict(model), **metadata}
        lines = aligned((one_line(key), _value(value)) for key, value in rows.items())
        self.app.push_screen(TextScreen(model.name, "\n".join(lines)))

    def _model(self, reference: str) -> ModelFile | None:
        return next((model for model in self._all if model.reference == reference), None)

    def _row(self, model: ModelFile) -> Row:
        mark = "● " if self._is_current(model) else ""
        cells = (
            mark + model.name,
            amounts.size(model.bytes),
            model.quantization or amounts.DASH,
            amounts.count(model.window),
            amounts.size(model.kv_bytes_per_token),
            "cannot be read" if model.error else model.source,
        )
        return Row(model.reference, cells, dim=model.error is not None)

    def _is_current(self, model: ModelFile) -> bool:
        """A server's model in use tells the address without what stands behind the host's part of it."""
        here = self._current
        return here is not None and here in (model.path, model.path.removesuffix("/v1"))


def _value(value: object) -> str:
    return amounts.DASH if value is None else one_line(str(value))
