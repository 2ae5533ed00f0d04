"""Every setting: its section, its kind, its default, and what it is for.

This is the one place a setting is written down: the loader, `config show`, the example file and
the help of the flags that set one are made from it.
"""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from fnmatch import fnmatchcase
from typing import Any

from ctxchat.domain.sampling import Sampling
from ctxchat.settings.key import Key, key_of_field
from ctxchat.settings.key import key as _key
from ctxchat.settings.kinds import Kind, Layers, Real, Shares, Size, Switch, Text, Texts, Whole, Word
from ctxchat.settings.notes import NotesSettings
from ctxchat.settings.server import ServerSettings

CACHE_TYPES = ("f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The model, and how it is run."""

    path: str | None = _key(
        None,
        Text(path=True),
        "The model: the path of a GGUF file, a name from `ctxchat models list`, or server:NAME.",
        flag="--model",
        example="~/models/model.gguf",
    )
    folders: tuple[str, ...] = _key(
        (),
        Texts(path=True),
        "Folders with GGUF files, listed beside the program's own.",
        example=["~/models"],
    )
    ctx_size: int | None = _key(
        None,
        Whole(least=64),
        "The window in tokens; else the smaller of 8192 and what the model was trained for.",
        example=8192,
    )
    n_gpu_layers: str | int = _key(
        "auto", Layers(), "Layers held by the GPU: auto (as many as fit), all, or a number."
    )
    split_mode: str = _key(
        "layer", Word(("none", "layer", "row")), "How a model is split over GPUs: none, layer or row."
    )
    tensor_split: tuple[float, ...] = _key(
        (), Shares(), "The share of each GPU, in any unit, like 3,1; else by free memory.", example=[3, 1]
    )
    main_gpu: int = _key(
        0, Whole(least=0), "The GPU that holds the model where it is not split, and small tensors."
    )
    threads: int | None = _key(
        None,
        Whole(least=1, most=512),
        "Threads that write the answer; chosen for this machine unless set.",
        example=1,
    )
    threads_batch: int | None = _key(
        None,
        Whole(least=1, most=512),
        "Threads that read the prompt; chosen for this machine unless set.",
        example=2,
    )
    batch_size: int | None = _key(
        None, Whole(least=1), "Tokens read at a time; 128 on a CPU, 2048 on a GPU unless set.", example=128
    )
    ubatch_size: int | None = _key(
        None,
        Whole(least=1),
        "Tokens computed at a time, at most the batch; else the batch on a CPU, 512 on a GPU.",
        example=128,
    )
    speculation: str = _key(
        "auto",
        Word(("auto", "on", "off")),
        "Draft repeated text and check it at once: auto (where it was measured to pay), on or off.",
    )


@dataclass(frozen=True, slots=True)
class ContextSettings:
    """What prompts hold."""

    system: str | None = _key(
        None,
        Text(),
        "The system message of new conversations; empty for none.",
        example="You are a helpful assistant.",
    )
    budget: int | None = _key(
        None,
        Whole(least=32),
        "The largest prompt in tokens; else what the window leaves beside the answer.",
        example=4096,
    )
    overflow: str = _key(
        "compact",
        Word(("compact", "refuse")),
        "What to do with a prompt that does not fit: compact (fold the oldest turns), or refuse.",
    )
    compact_at: float = _key(
        0.8, Real(0.2, 1), "Fold the oldest turns once this share of what may be used is used."
    )
    compact_to: float = _key(0.45, Real(0.1, 0.9), "What is left of what may be used after folding.")
    think: bool | None = _key(
        None,
        Switch(),
        "Whether the model reasons before it answers, where it can; else as it likes.",
        example=False,
    )
    think_budget: int | None = _key(
        None,
        Whole(least=0),
        "The most tokens of reasoning; 0 for none, else as many as the answer has room for.",
        example=2048,
    )


@dataclass(frozen=True, slots=True)
class KvSettings:
    """The KV cache."""

    type_k: str = _key("f16", Word(CACHE_TYPES), "The type of cached keys.", flag="--cache-type-k")
    type_v: str = _key("f16", Word(CACHE_TYPES), "The type of cached values.", flag="--cache-type-v")
    flash_attn: str = _key(
        "auto",
        Word(("auto", "on", "off")),
        "Flash attention: auto (on where it pays or is needed), on or off.",
    )
    offload: bool = _key(
        True, Switch(), "Whether the KV cache lies with the layers on the GPU.", flag="--no-kv-offload"
    )
    max_disk: int | None = _key(
        None,
        Size(),
        "What KV snapshots may take of the disk, like 20GB; 0 keeps none, else a tenth of what is free.",
        example="20GB",
    )


_SAMPLING: Mapping[str, tuple[Kind, str, object]] = {
    "temperature": (Real(least=0), "How freely tokens are drawn; 0 takes the likeliest always.", None),
    "top_k": (Whole(least=0), "Draw from this many likeliest tokens; 0 from all.", None),
    "top_p": (Real(0, 1), "Draw from the likeliest tokens that hold this share; 1 from all.", None),
    "min_p": (Real(0, 1), "Leave out tokens below this share of the likeliest; 0 leaves out none.", None),
    "typical_p": (Real(0, 1), "Draw from the most typical tokens that hold this share; 1 from all.", None),
    "repeat_penalty": (Real(least=0.1), "Make tokens that stood before less likely; 1 does nothing.", None),
    "repeat_last_n": (Whole(least=-1), "How many tokens back repetition counts; -1 for the window.", None),
    "presence_penalty": (Real(), "Make tokens that stood before less likely, once; 0 does nothing.", None),
    "frequency_penalty": (
        Real(),
        "Make tokens less likely each time they stood before; 0 does nothing.",
        None,
    ),
    "seed": (Whole(0, 2**32 - 2), "The same seed draws the same tokens; a new one each time unless set.", 42),
    "max_tokens": (
        Whole(least=1),
        "The longest answer in tokens, also kept free for it; an eighth of the window unless set.",
        512,
    ),
    "stop": (Texts(), "Texts that end the answer where they appear, and are left out.", ["END"]),
}
_FLAGGED_SAMPLING = ("temperature", "seed", "max_tokens")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. `origins` says of each `section.key` where its value came from: `default`,
    `FILE:LINE`, an environment variable, or a flag; `servers` are those of `[server.NAME]`, whose keys have
    origins where they are set. `by_model` are keys of `context` for models whose name matches a pattern. With
    `offline` no connection is made in this run."""

    model: ModelSettings = field(default_factory=ModelSettings)
    sampling: Sampling = field(default_factory=Sampling)
    context: ContextSettings = field(default_factory=ContextSettings)
    kv: KvSettings = field(default_factory=KvSettings)
    notes: NotesSettings = field(default_factory=NotesSettings)
    server: ServerSettings = field(default_factory=ServerSettings)
    servers: Mapping[str, ServerSettings] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    by_model: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    offline: bool = False


def _of_sampling(item: Field[Any]) -> Key:
    kind, doc, example = _SAMPLING[item.name]
    flag = "--" + item.name.replace("_", "-") if item.name in _FLAGGED_SAMPLING else f"-o {item.name}"
    return Key("sampling", item.name, kind, doc, item.default, flag, example)


SCHEMA: Mapping[str, Mapping[str, Key]] = {
    "model": {f.name: key_of_field("model", f) for f in fields(ModelSettings)},
    "sampling": {f.name: _of_sampling(f) for f in fields(Sampling)},
    "context": {f.name: key_of_field("context", f) for f in fields(ContextSettings)},
    "kv": {f.name: key_of_field("kv", f) for f in fields(KvSettings)},
    "notes": {f.name: key_of_field("notes", f) for f in fields(NotesSettings)},
    "server": {f.name: key_of_field("server", f) for f in fields(ServerSettings)},
    "ui": {},
}
KEYS: Mapping[str, Key] = {key.path: key for section in SCHEMA.values() for key in section.values()}


def named_server(path: str) -> tuple[str, str] | None:
    """The name and the key of `server.NAME.key`, None for any other path."""
    section, _, rest = path.partition(".")
    name, _, key = rest.rpartition(".")
    return (name, key) if section == "server" and name else None


def key_of(path: str) -> Key | None:
    """What there is to say of a setting, those of named servers included."""
    named = named_server(path)
    return KEYS.get(f"server.{named[1]}" if named else path)


MODEL_KEYS = ("budget", "overflow", "compact_at", "compact_to")
"""What `[context.models."PATTERN"]` may set."""


def context_for(settings: Settings, model: str) -> ContextSettings:
    """The settings of `context` for a model. What is typed, or in the environment, still holds."""
    changes: dict[str, object] = {}
    for pattern, values in settings.by_model.items():
        if fnmatchcase(model.lower(), pattern.lower()):
            changes |= values
    weak = {
        key: value
        for key, value in changes.items()
        if not settings.origins.get(f"context.{key}", "").startswith(("-", "CTXCHAT_"))
    }
    return replace(settings.context, **weak)  # type: ignore[arg-type]


def value_of(settings: Settings, path: str) -> object:
    """The value of `section.key`, or of `server.NAME.key`."""
    if named := named_server(path):
        return getattr(settings.servers[named[0]], named[1])
    section, name = path.split(".")
    return getattr(getattr(settings, section), name)
