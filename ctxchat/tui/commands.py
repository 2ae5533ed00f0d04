"""What a line that begins with `/` does: the table that completion, the palette and the help are made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A command: `action` names the method of `Actions` that does it, with what stands behind the name.

    Without `at_once` the palette writes its beginning into the composer, because it needs an argument.
    """

    name: str
    does: str
    action: str
    argument: str = ""
    at_once: bool = True

    @property
    def usage(self) -> str:
        return f"/{self.name} {self.argument}".rstrip()


COMMANDS = (
    Command("help", "Commands and keys", "help"),
    Command("new", "Begin a new conversation", "new", "[NAME]"),
    Command("conversations", "Find, resume, rename, delete conversations", "conversations"),
    Command("rename", "Name this conversation", "rename", "NAME", at_once=False),
    Command("fork", "Go on in a copy of this conversation", "fork"),
    Command("export", "Write this conversation to a file (.md, .jsonl, .json)", "export", "[FILE]"),
    Command("model", "Switch to another model, and keep the conversation", "model", "[NAME]"),
    Command("system", "Show or set the system message of a new conversation", "system", "[TEXT]"),
    Command(
        "think", "Let the model reason, or not, or so long", "think", "on|off|auto|TOKENS", at_once=False
    ),
    Command("temperature", "How freely tokens are drawn", "temperature", "X", at_once=False),
    Command("again", "Another answer to the last question", "again"),
    Command("continue", "Go on with an answer that was cut", "go_on"),
    Command("edit", "Take the last question back, and ask it otherwise", "edit"),
    Command("delete", "Take the last turn off the conversation", "delete"),
    Command("undo", "Take back the last of these changes", "undo"),
    Command("copy", "Copy the last answer", "copy"),
    Command("code", "Copy the first code block of the last answer", "copy_code"),
    Command("compact", "Fold old turns into a summary now", "compact", "[FOCUS]"),
    Command("summary", "Read, edit, undo the summary", "summary"),
    Command("context", "All that is sent, row by row", "context"),
    Command("plan", "What this would cost under other budgets", "plan"),
    Command("pin", "Put a text into every prompt of this conversation", "pin", "TEXT", at_once=False),
    Command("remember", "Remember a text in all conversations", "remember", "TEXT", at_once=False),
    Command("forget", "Forget what is remembered, or a note", "forget", "ID", at_once=False),
    Command("notes", "Search, add and remove notes", "notes"),
    Command("attach", "Attach a file or a folder", "attach", "PATH", at_once=False),
    Command("data", "Attach a table: CSV, TSV, JSON, JSON lines", "data", "PATH", at_once=False),
    Command("settings", "All settings, and where each came from", "settings"),
    Command("theme", "Another theme", "theme", "[NAME]"),
    Command("meters", "Show or hide the meters", "meters"),
    Command("quit", "Leave", "quit"),
)
KEYS = (
    ("Enter", "Send; while an answer is written, the question waits"),
    ("Shift-Enter, Ctrl-J", "Break the line"),
    ("Esc", "Stop, in any phase; then take back a question that waits"),
    ("Up, Down", "Earlier questions, from the first and the last line"),
    ("Ctrl-G", "Write the question in $EDITOR"),
    ("Backspace", "In an empty question: take the last attachment off"),
    ("Ctrl-T", "To the turns: up and down move, a letter acts, Esc goes back"),
    ("r  o", "On a turn: answer again, go on with a cut answer"),
    ("e  d  u", "On a turn: edit and ask again, delete, take that back"),
    ("y  c", "On a turn: copy the answer, or its first code block"),
    ("f  p", "On a turn: fork from here, pin it"),
    ("t  l", "On a turn: unfold the reasoning, see the ledger"),
    ("PgUp, PgDn", "Scroll the transcript"),
    ("F2", "Show or hide the meters"),
    ("Ctrl-N", "New conversation"),
    ("Ctrl-P", "All commands"),
    ("Ctrl-Q", "Leave"),
)
BY_NAME = {command.name: command for command in COMMANDS}


def parsed(line: str) -> tuple[str, str] | None:
    """The name and the argument of a line that is a command, None for one that is a question."""
    if not line.startswith("/") or line.startswith("//") or "\n" in line.partition(" ")[0]:
        return None
    name, _, argument = line[1:].partition(" ")
    return None if "/" in name else (name, argument.strip())


def near(name: str) -> list[str]:
    """Names that may have been meant."""
    from difflib import get_close_matches

    return [n for n in BY_NAME if n.startswith(name)] or get_close_matches(name, BY_NAME, n=3)
