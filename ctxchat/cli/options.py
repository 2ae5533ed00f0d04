"""The flags of `ask`, and the settings some of them set."""

from dataclasses import dataclass, field, fields
from typing import Annotated, Any

import typer

from ctxchat.cli.parsing import PAIR
from ctxchat.domain.errors import UsageError
from ctxchat.settings.schema import KEYS

_SETS = "sets"


def _setting(path: str) -> Any:
    """The default of a flag that sets `section.key`: nothing, so that a weaker source holds."""
    return field(default=None, metadata={_SETS: path})


def _option(path: str, *names: str, metavar: str | None = None) -> Any:
    """The option of a setting, helped by the setting's own words."""
    return typer.Option(*names, metavar=metavar, help=KEYS[path].doc)


@dataclass(frozen=True, kw_only=True)
class AskFlags:
    """What `ask` can be told, in the order its help shows."""

    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PROMPT]...", help="The question. `-` reads it, or text for it, from stdin."),
    ] = None

    model: Annotated[str | None, _option("model.path", "-m", "--model", metavar="MODEL")] = _setting(
        "model.path"
    )
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
    budget: Annotated[int | None, _option("context.budget", "--budget", metavar="TOKENS")] = _setting(
        "context.budget"
    )
    overflow: Annotated[str | None, _option("context.overflow", "--overflow", metavar="compact|refuse")] = (
        _setting("context.overflow")
    )
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Everything but the model: print the receipt; send and write nothing."
        ),
    ] = False

    max_tokens: Annotated[int | None, _option("sampling.max_tokens", "--max-tokens", metavar="N")] = _setting(
        "sampling.max_tokens"
    )
    temperature: Annotated[float | None, _option("sampling.temperature", "--temperature", metavar="X")] = (
        _setting("sampling.temperature")
    )
    seed: Annotated[int | None, _option("sampling.seed", "--seed", metavar="N")] = _setting("sampling.seed")
    option: Annotated[
        list[tuple[str, str]],
        typer.Option(
            "-o", "--option", metavar=PAIR, help="Any sampling option, like `-o top_k 20`. Repeatable."
        ),
    ] = field(default_factory=list)
    think: Annotated[bool | None, typer.Option("--think/--no-think", help=KEYS["context.think"].doc)] = (
        _setting("context.think")
    )

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

    ctx_size: Annotated[int | None, _option("model.ctx_size", "--ctx-size", metavar="N")] = _setting(
        "model.ctx_size"
    )
    n_gpu_layers: Annotated[
        str | None, _option("model.n_gpu_layers", "-ngl", "--n-gpu-layers", metavar="auto|all|N")
    ] = _setting("model.n_gpu_layers")
    tensor_split: Annotated[
        str | None, _option("model.tensor_split", "-ts", "--tensor-split", metavar="N,N,…")
    ] = _setting("model.tensor_split")
    split_mode: Annotated[
        str | None, _option("model.split_mode", "-sm", "--split-mode", metavar="none|layer|row")
    ] = _setting("model.split_mode")
    main_gpu: Annotated[int | None, _option("model.main_gpu", "--main-gpu", metavar="N")] = _setting(
        "model.main_gpu"
    )
    no_kv_offload: Annotated[
        bool, typer.Option("--no-kv-offload", help="Keep the KV cache in main memory.")
    ] = False
    cache_type_k: Annotated[str | None, _option("kv.type_k", "-ctk", "--cache-type-k", metavar="TYPE")] = (
        _setting("kv.type_k")
    )
    cache_type_v: Annotated[str | None, _option("kv.type_v", "-ctv", "--cache-type-v", metavar="TYPE")] = (
        _setting("kv.type_v")
    )
    flash_attn: Annotated[
        str | None, _option("kv.flash_attn", "-fa", "--flash-attn", metavar="auto|on|off")
    ] = _setting("kv.flash_attn")
    threads: Annotated[int | None, _option("model.threads", "--threads", metavar="N")] = _setting(
        "model.threads"
    )
    threads_batch: Annotated[int | None, _option("model.threads_batch", "--threads-batch", metavar="N")] = (
        _setting("model.threads_batch")
    )
    batch_size: Annotated[int | None, _option("model.batch_size", "-b", "--batch-size", metavar="N")] = (
        _setting("model.batch_size")
    )
    ubatch_size: Annotated[int | None, _option("model.ubatch_size", "-ub", "--ubatch-size", metavar="N")] = (
        _setting("model.ubatch_size")
    )


def overrides(flags: AskFlags) -> dict[str, object]:
    """What was typed for settings, by `section.key`; a flag of its own outdoes `-o`."""
    typed: dict[str, object] = {f"sampling.{key}": value for key, value in flags.option}
    for item in fields(flags):
        value = getattr(flags, item.name)
        if _SETS in item.metadata and value is not None:
            typed[item.metadata[_SETS]] = value
    if flags.no_kv_offload:
        typed["kv.offload"] = False
    return typed


def check(flags: AskFlags) -> None:
    """Raises UsageError for flags that exclude each other, or need one that is missing."""
    if flags.resume and flags.session is not None:
        raise UsageError("-c and --session name two conversations: give one of them")
    if flags.fork and not flags.resume and flags.session is None:
        raise UsageError("--fork needs a conversation to copy: give -c or --session too")
    if flags.json and flags.events:
        raise UsageError("--json and --events both write stdout: give one of them")
    if flags.param and flags.template is None:
        raise UsageError("-p fills a prompt file: give its name with -t")
    if "question" in dict(flags.param):
        raise UsageError("-p question: the words that are asked are $question")
