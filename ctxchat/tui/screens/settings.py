"""Settings: each with its value and where that came from."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType

from ctxchat.display import amounts
from ctxchat.service.setting_file import write_setting
from ctxchat.settings.example import toml_value
from ctxchat.settings.key import Key, without_credentials
from ctxchat.settings.kinds import Size
from ctxchat.settings.schema import KEYS, Settings, value_of
from ctxchat.tui.screens.list_screen import ListScreen, holds_words
from ctxchat.tui.screens.prompt import PromptScreen
from ctxchat.tui.screens.rows import Column, Row


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """The `section.key`s that were written to the file."""

    keys: tuple[str, ...]


class SettingsScreen(ListScreen[SettingsChanged | None]):
    """`load` reads the settings of this run anew, and raises SettingsError; `file` is the person's own. Keys
    that are in `now` hold from the next question on, all others from the next start on."""

    HEADING = "Settings"
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("key", 26, needed=True),
        Column("value", needed=True),
        Column("origin", 20, path=True),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Change", priority=True),
        Binding("ctrl+d", "unset", "Back to default", priority=True),
    ]

    def __init__(self, load: Callable[[], Settings], file: Path, now: Collection[str] = frozenset()) -> None:
        super().__init__()
        self._load, self._file, self._now = load, file, now
        self._settings = Settings()
        self._changed: tuple[str, ...] = ()
        self._told = ""

    def on_mount(self) -> None:
        self.in_thread(self._load, self._loaded)

    def result(self) -> SettingsChanged | None:
        return SettingsChanged(self._changed) if self._changed else None

    def filtered(self) -> None:
        self._show()

    def detail(self, key: str) -> str:
        setting, origin = KEYS[key], self._settings.origins.get(key, "default")
        once = f" · once: {setting.flag}" if setting.flag else ""
        return f"{setting.doc}\nnow: {origin}{once} · always: {setting.variable}"

    def choose(self, key: str) -> None:
        value = value_of(self._settings, key)
        setting = KEYS[key]

        def typed(text: str | None) -> None:
            if text is not None and text.strip():
                self._write(key, _to_write(setting, text.strip()))

        hint = f"{setting.kind.wants}; it {self._holds(key)}"
        prompt = PromptScreen(
            f"{key}: {setting.doc}", _typed(value), hint, lambda text: _wrong(setting, text)
        )
        self.app.push_screen(prompt, typed)

    def action_unset(self) -> None:
        key = self.rows.current
        if key is None:
            return
        if self._settings.origins.get(key, "").startswith(f"{self._file}:"):
            self._write(key, None)
        else:
            self.say(f"{key} is not set in {self._file}")

    def _write(self, key: str, value: object) -> None:
        def written(settings: Settings) -> None:
            self._changed = tuple(dict.fromkeys((*self._changed, key)))
            self._told = self._outcome(key, settings)
            self._loaded(settings)

        def write() -> Settings:
            write_setting(key, value, self._file)
            return self._load()

        self.in_thread(write, written, group="changing", exclusive=False)

    def _outcome(self, key: str, settings: Settings) -> str:
        """What became of a change: a stronger source may hide it."""
        origin = settings.origins[key]
        if origin == "default" or origin.startswith(f"{self._file}:"):
            return f"{key} is written; it {self._holds(key)}"
        return f"{key} is written, and {origin} is stronger"

    def _holds(self, key: str) -> str:
        return f"holds from the next {'question' if key in self._now else 'start'} on"

    def _loaded(self, settings: Settings) -> None:
        self._settings = settings
        self._show(at=self.rows.current)
        self.show_detail()

    def _show(self, at: str | None = None) -> None:
        origins = self._settings.origins
        kept = [
            path
            for path, key in KEYS.items()
            if path in origins and holds_words(f"{path} {key.doc}", self.typed)
        ]
        self.rows.show([self._row(path) for path in kept], at)
        self.say(" · ".join(filter(None, (self._told, f"your file: {self._file}"))))

    def _row(self, path: str) -> Row:
        value, origin = without_credentials(value_of(self._settings, path)), self._settings.origins[path]
        shown = amounts.DASH if value is None else toml_value(value)
        return Row(path, (path, shown, origin), dim=origin == "default")


def _typed(value: object) -> str:
    """A value as a person types it."""
    if value is None or value == ():
        return ""
    return value if isinstance(value, str) else toml_value(value)


def _wrong(setting: Key, text: str) -> str | None:
    if not text.strip():
        return "give a value; Ctrl-D in the list goes back to the default"
    try:
        setting.kind.read(text.strip())
    except ValueError:
        return f"must be {setting.kind.wants}"
    return None


def _to_write(setting: Key, text: str) -> object:
    """A value for the file: texts, paths and sizes as they were typed, so that `~` and units stay."""
    value = setting.kind.read(text)
    return text if isinstance(value, str) or isinstance(setting.kind, Size) else value
