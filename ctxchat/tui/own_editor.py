"""A text in the person's own editor, while the screen is theirs."""

from textual.app import App, SuspendNotSupported

from ctxchat.display.editor import edited
from ctxchat.domain.errors import UsageError
from ctxchat.tui.screen_stream import stderr_on_screen


def edited_outside(app: App[int], text: str, name: str) -> str:
    """A text as the person leaves it in $EDITOR. Raises UsageError.

    What goes wrong is raised when the screen is ours again: Textual does not take it back where an error
    passes through.
    """
    failure: UsageError | None = None
    try:
        with app.suspend(), stderr_on_screen():
            try:
                text = edited(text, name)
            except UsageError as error:
                failure = error
    except SuspendNotSupported as error:
        raise UsageError("this terminal cannot be left for an editor") from error
    if failure is not None:
        raise failure
    return text
