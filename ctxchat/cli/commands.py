"""Commands that are imported when they are named, so that none pays for another's imports."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

COMMANDS = {
    "chat": "Open the terminal UI; what `ctxchat` alone does too.",
    "ask": "Ask one question and print the answer.",
    "plan": "Show what a prompt would cost under this and other budgets.",
    "sessions": "List, show, search, copy, carry and delete conversations.",
    "compact": "Fold old turns into a summary; see, edit or undo the summaries.",
    "notes": "Add files and texts as notes; find, list and remove them.",
    "memory": "Remember texts across conversations, and forget them.",
    "pin": "Pin text that stands in every prompt of a conversation.",
    "models": "List GGUF models, look into one, choose one, fetch one.",
    "bench": "Measure what context costs on this machine.",
    "config": "Show, find, edit and check the settings.",
    "doctor": "Check what works here, and how to mend what does not.",
    "completion": "Print a script that completes commands in your shell.",
}


OWN_FLAGS = ("--help", "-h", "--version")


class Commands(TyperGroup):
    """The commands of the program. Each is the typer app of the module of its name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment] # names to suggest

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Flags without a command are those of the chat."""
        if args and args[0].startswith("-") and args[0] not in (*OWN_FLAGS, "--"):
            args = ["chat", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer's signature
        if cmd_name not in COMMANDS:
            return None
        app: typer.Typer = import_module(f"ctxchat.cli.{cmd_name}").app
        return get_group(app) if len(app.registered_commands) > 1 else get_command(app)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - typer's signature
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
