"""The flags of `ask`, and the settings some of them set."""

from dataclasses import dataclass, field
from typing import Annotated

import typer

from ctxchat.cli.completing import model_names
from ctxchat.cli.engine_flags import EngineFlags
from ctxchat.cli.parsing import PAIR
from ctxchat.cli.setting_flags import sets, setting, setting_option, settings_typed, turns_off
from ctxchat.domain.errors import UsageError
from ctxchat.settings.schema import KEYS


@dataclass(frozen=True, kw_only=True)
class TurnFlags:
    """What is asked, about what, and how the answer is shown, in the order of the help."""

    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PROMPT]...", help="The question. `-` reads it, or text for it, from stdin."),
    ] = None

    model: Annotated[
        str | None, setting_option("model.path", "-m", "--model", metavar="MODEL", completion=model_names)
    ] = setting("model.path")
    system: Annotated[
        str | None,
        typer.Option("-s", "--system", metavar="TEXT", help="The system message of a new conversation."),
    ] = None
    template: Annotated[
        str | None,
        typer.Option("-t", "--template", metavar="NAME", help="Ask through a prompt file of your own."),
    ] = None
    param: Annotated[
        list[tuple[str, str]],
        typer.Option("-p", "--param", metavar=PAIR, help="Fill $KEY of the prompt file. Repeatable."),
    ] = field(default_factory=list)
    pin: Annotated[
        list[str],
        typer.Option(
            "--pin", metavar="TEXT", help="Text that stands in every prompt of the conversation. Repeatable."
        ),
    ] = field(default_factory=list)

    resume: Annotated[
        bool, typer.Option("-c", "--continue", help="Go on with the conversation used last.")
    ] = False
    session: Annotated[
        str | None,
        typer.Option("--session", metavar="ID_OR_NAME", help="Go on with this one; a new name begins one."),
    ] = None
    fork: Annotated[
        bool, typer.Option("--fork", help="With either: answer in a copy, and leave the original as it is.")
    ] = False
    no_log: Annotated[
        bool, typer.Option("-n", "--no-log", help="Write nothing that holds this turn's text.")
    ] = False

    file: Annotated[
        list[str],
        typer.Option(
            "-f", "--file", metavar="PATH", help="Attach a file, a folder, or `-` for stdin. Repeatable."
        ),
    ] = field(default_factory=list)
    data: Annotated[
        list[str],
        typer.Option(
            "--data", metavar="PATH", help="Ask about a table: CSV, TSV, JSON or JSON lines. Repeatable."
        ),
    ] = field(default_factory=list)
    notes: Annotated[
        list[str],
        typer.Option("--notes", metavar="COLLECTION", help="Recall notes of this collection. Repeatable."),
    ] = field(default_factory=list, metadata=sets("notes.collections"))
    no_memory: Annotated[bool, typer.Option("--no-memory", help="Recall no notes and no old turns.")] = (
        turns_off("notes.recall")
    )
    no_filter: Annotated[
        bool,
        typer.Option("--no-filter", help="Send attached text whole, or exit 4 where it does not fit."),
    ] = False
    show_filtered: Annotated[
        bool,
        typer.Option("--show-filtered", help="Print what is sent of attached text before the answer."),
    ] = False
    budget: Annotated[int | None, setting_option("context.budget", "--budget", metavar="TOKENS")] = setting(
        "context.budget"
    )
    overflow: Annotated[
        str | None, setting_option("context.overflow", "--overflow", metavar="compact|refuse")
    ] = setting("context.overflow")
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Everything but the model: print the receipt; send and write nothing."
        ),
    ] = False

    max_tokens: Annotated[int | None, setting_option("sampling.max_tokens", "--max-tokens", metavar="N")] = (
        setting("sampling.max_tokens")
    )
    temperature: Annotated[
        float | None, setting_option("sampling.temperature", "--temperature", metavar="X")
    ] = setting("sampling.temperature")
    seed: Annotated[int | None, setting_option("sampling.seed", "--seed", metavar="N")] = setting(
        "sampling.seed"
    )
    option: Annotated[
        list[tuple[str, str]],
        typer.Option(
            "-o", "--option", metavar=PAIR, help="Any sampling option, like `-o top_k 20`. Repeatable."
        ),
    ] = field(default_factory=list)
    think: Annotated[bool | None, typer.Option("--think/--no-think", help=KEYS["context.think"].doc)] = (
        setting("context.think")
    )
    think_budget: Annotated[
        int | None, setting_option("context.think_budget", "--think-budget", metavar="TOKENS")
    ] = setting("context.think_budget")

    schema: Annotated[
        str | None,
        typer.Option(
            "--schema", metavar="JSON_OR_PATH", help="Answer in JSON that satisfies this JSON schema."
        ),
    ] = None
    grammar: Annotated[
        str | None,
        typer.Option("--grammar", metavar="PATH", help="Answer as this GBNF grammar allows."),
    ] = None

    extract: Annotated[
        bool, typer.Option("-x", "--extract", help="Print the first code block alone, without its fence.")
    ] = False
    hide_reasoning: Annotated[
        bool, typer.Option("-R", "--hide-reasoning", help="Do not show the model's reasoning.")
    ] = False
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object: answer and receipt.")] = False
    events: Annotated[bool, typer.Option("--events", help="Print one JSON object a line while it runs.")] = (
        False
    )
    no_stream: Annotated[bool, typer.Option("--no-stream", help="Print the answer when it is whole.")] = False
    usage: Annotated[bool, typer.Option("-u", "--usage", help="One line of receipt on stderr.")] = False
    stats: Annotated[bool, typer.Option("--stats", help="The whole ledger on stderr.")] = False
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No status line.")] = False


@dataclass(frozen=True, kw_only=True)
class AskFlags(EngineFlags, TurnFlags):
    """What `ask` can be told. Its help shows the fields of the last base first."""


def overrides(flags: AskFlags) -> dict[str, object]:
    """What was typed for settings, by `section.key`; a flag of its own outdoes `-o`."""
    return {f"sampling.{key}": value for key, value in flags.option} | settings_typed(flags)


def check(flags: AskFlags) -> None:
    """Raises UsageError for flags that exclude each other, or need one that is missing."""
    if flags.resume and flags.session is not None:
        raise UsageError("-c and --session name two conversations: give one of them")
    if flags.fork and not flags.resume and flags.session is None:
        raise UsageError("--fork needs a conversation to copy: give -c or --session too")
    if flags.json and flags.events:
        raise UsageError("--json and --events both write stdout: give one of them")
    if flags.schema is not None and flags.grammar is not None:
        raise UsageError("--schema and --grammar both say what the answer looks like: give one of them")
    if flags.show_filtered and (flags.json or flags.events):
        raise UsageError("--show-filtered writes stdout too: give it without --json and --events")
    if flags.param and flags.template is None:
        raise UsageError("-p fills a prompt file: give its name with -t")
    if "question" in dict(flags.param):
        raise UsageError("-p question: the words that are asked are $question")
