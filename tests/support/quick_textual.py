"""What Textual does again and again in tests, done once: style sheets are parsed, and states are drawn."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from textual._compositor import Compositor
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot

_PARSED: defaultdict[frozenset[tuple[str, str]], dict[tuple[Any, ...], Any]] = defaultdict(dict)
"""The rules of every sheet, by the variables they were parsed with."""

_begin = Stylesheet.__init__
_set_variables = Stylesheet.set_variables
_render_update = Compositor.render_update
_pause = Pilot.pause


def _begin_shared(sheet: Stylesheet, *, variables: dict[str, str] | None = None) -> None:
    _begin(sheet, variables=variables)
    _share(sheet)


def _set_variables_shared(sheet: Stylesheet, variables: dict[str, str]) -> None:
    vars(sheet)["_parse_cache"] = {}  # what is shared is not cleared
    _set_variables(sheet, variables)
    _share(sheet)


def _share(sheet: Stylesheet) -> None:
    vars(sheet)["_parse_cache"] = _PARSED[frozenset(sheet._variables.items())]


def _render_pictures(compositor: Compositor, full: bool = False, **how: Any) -> object:
    """A picture is drawn at once; of changes alone it is kept where they are, until they are drawn."""
    return _render_update(compositor, full=True, **how) if full else None


async def _pause_and_draw(pilot: Pilot[Any], delay: float | None = None) -> None:
    await _pause(pilot, delay)
    app = pilot.app
    if app.is_running and app.screen._compositor._dirty_regions:
        _render_update(app.screen._compositor, screen_stack=app._background_screens)


@contextmanager
def parsed_once_and_drawn_at_rest() -> Iterator[None]:
    """A sheet is parsed once in a process. The states that a test waits for are drawn, and raise what drawing
    raises; changes in between are laid out alone, since without a terminal nobody sees them."""
    with (
        patch.object(Stylesheet, "__init__", _begin_shared),
        patch.object(Stylesheet, "set_variables", _set_variables_shared),
        patch.object(Compositor, "render_update", _render_pictures),
        patch.object(Pilot, "pause", _pause_and_draw),
    ):
        yield
