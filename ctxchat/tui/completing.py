"""What the word before the cursor may become: a command, an argument of one, or a path."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ctxchat.display.plain_text import one_line
from ctxchat.tui.chat.completion import Choice
from ctxchat.tui.commands import COMMANDS

Arguments = Callable[[], Sequence[str]]
PATHS = ("attach", "data", "export")


def completions(arguments: dict[str, Arguments]) -> Callable[[str], Sequence[Choice]]:
    """Completes commands, paths, and of some commands the arguments."""

    def complete(line: str) -> Sequence[Choice]:
        word = line.rpartition(" ")[2]
        if line.startswith("/") and " " not in line:
            return [
                Choice(f"/{command.name}", f"{command.argument:<10} {command.does}".strip())
                for command in COMMANDS
                if command.name.startswith(line[1:])
            ]
        if word.startswith("@"):
            return [Choice(f"@{c.text}", c.about, c.finished) for c in paths(word[1:])]
        name = line[1:].partition(" ")[0] if line.startswith("/") else ""
        if name in PATHS:
            return list(paths(word))
        if name in arguments and line.count(" ") == 1:
            return [Choice(text) for text in arguments[name]() if word.casefold() in text.casefold()]
        return ()

    return complete


def paths(begun: str) -> Iterator[Choice]:
    """Files and folders whose path begins so; hidden ones where a dot was typed."""
    folder, _, name = begun.rpartition("/")
    base = Path(f"{folder}/").expanduser() if folder or begun.startswith("/") else Path()
    try:
        found = sorted(base.iterdir(), key=lambda path: path.name)
    except OSError:
        return
    for path in found:
        if not path.name.startswith(name) or (path.name.startswith(".") and not name.startswith(".")):
            continue
        if path.name != one_line(path.name) or " " in path.name:
            continue
        shown = f"{folder}/{path.name}" if folder or begun.startswith("/") else path.name
        is_folder = path.is_dir()
        yield Choice(shown + ("/" if is_folder else ""), "" if is_folder else "file", finished=not is_folder)
