"""What the word before the cursor may become: a command, an argument of one, or a path."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from ctxchat.tui.chat.completion import MOST_SHOWN, NOTHING, Choice, Completions, Matches
from ctxchat.tui.commands import COMMANDS
from ctxchat.tui.mentions import BEGUN, escaped, plain

Arguments = Callable[[], Sequence[str]]
PATHS = ("attach", "data", "export")


def completions(arguments: dict[str, Arguments]) -> Completions:
    """Completes commands, paths, and of some commands the arguments."""

    def complete(line: str, first: bool) -> Matches:
        if begun := BEGUN.search(line):
            return Matches(begun[0], [_mention(choice) for choice in paths(plain(begun[1]))])
        if not first or not line.startswith("/"):
            return NOTHING
        name, space, argument = line[1:].partition(" ")
        if not space:
            return Matches(line, _commands(name))
        if name in PATHS:
            return Matches(argument, list(paths(argument)))
        if name in arguments and " " not in argument:
            found = (text for text in arguments[name]() if argument.casefold() in text.casefold())
            return Matches(argument, [Choice(text) for text in islice(found, MOST_SHOWN)])
        return NOTHING

    return complete


def _commands(begun: str) -> list[Choice]:
    return [
        Choice(f"/{command.name}", f"{command.argument:<10} {command.does}".strip())
        for command in COMMANDS
        if command.name.startswith(begun)
    ]


def _mention(choice: Choice) -> Choice:
    return Choice(f"@{escaped(choice.text)}", choice.about, choice.finished)


def paths(begun: str) -> Iterator[Choice]:
    """The first files and folders whose path begins so; hidden ones where a dot was typed."""
    if begun == "~":
        yield Choice("~/", finished=False)
        return
    folder, slash, name = begun.rpartition("/")
    try:
        found = sorted(_entries(folder + slash, name))
    except (OSError, RuntimeError, ValueError):
        return
    for entry in islice(found, MOST_SHOWN):
        is_folder = _is_folder(folder + slash, entry)
        yield Choice(
            folder + slash + entry + ("/" if is_folder else ""),
            "" if is_folder else "file",
            finished=not is_folder,
        )


def _entries(folder: str, begun: str) -> Iterator[str]:
    """Names in a folder that begin so. One that cannot be written on a line is left out."""
    for path in Path(folder or ".").expanduser().iterdir():
        hidden = path.name.startswith(".") and not begun.startswith(".")
        if path.name.startswith(begun) and path.name.isprintable() and not hidden:
            yield path.name


def _is_folder(folder: str, name: str) -> bool:
    try:
        return (Path(folder or ".").expanduser() / name).is_dir()
    except OSError:
        return False
