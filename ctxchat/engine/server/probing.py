"""What kind of server answers, and what it runs: asked once, and kept."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from ctxchat.domain.errors import ModelError
from ctxchat.engine.server.connection import Connection
from ctxchat.engine.server.options import ServerOptions
from ctxchat.engine.server.refusals import Refusal, listed, told

MISSING = frozenset({400, 404, 405, 422, 500, 501})
"""Answers of servers that do not have what was asked for."""

WINDOWS = ("max_model_len", "context_length", "context_window", "max_context_length")


class Kind(StrEnum):
    """What a server speaks beyond the API of OpenAI."""

    LLAMA_SERVER = "llama-server"
    VLLM = "vLLM"
    PLAIN = "OpenAI API"


@dataclass(frozen=True, slots=True)
class Probed:
    """What a server says of itself.

    `model` is its name there, `version` the software's, `window` tokens of prompt and answer, `slots` the
    conversations it keeps apart. `template` is the chat template with the texts of `bos` and `eos`, `file`
    the model's as the server names it. What it does not tell is None or empty.
    """

    kind: Kind
    model: str
    version: str = ""
    window: int | None = None
    slots: int = 1
    template: str | None = None
    bos: str = ""
    eos: str = ""
    file: str | None = None


Entry = Mapping[str, Any]


def model_entry(connection: Connection, options: ServerOptions) -> Entry:
    """What the server lists of the model: one request, by which it is seen whether what is known of it still
    holds. Raises ModelError."""
    address = connection.address
    try:
        found = connection.get(f"{address.api}/models")
    except Refusal as refusal:
        if refusal.status in MISSING and options.model:
            return {"id": options.model}
        raise ModelError(told(refusal, address.shown, None)) from None
    entries = _entries(found)
    if entries is None:
        raise ModelError(
            f"what answers at {address.shown} is no OpenAI-compatible server: it lists no models; set the "
            "url of [server]"
        )
    return _chosen(entries, options.model, address.shown)


def signature(entry: Entry) -> dict[str, object]:
    """What of an entry stays the same while the same model runs in the same way."""
    kept = ("id", "owned_by", "root", "meta", *WINDOWS)
    return {name: entry[name] for name in kept if entry.get(name) is not None}


def probe_server(connection: Connection, entry: Entry) -> Probed:
    """Find out what the server is. Raises Refusal."""
    name, owner = str(entry["id"]), str(entry.get("owned_by", "")).lower()
    if owner != "vllm" and (props := _props(connection, is_sure=owner == "llamacpp")):
        return _llama_server(name, entry, props)
    if owner == "vllm" and _tokenizes(connection, name):
        version = _found(connection, "/version") or {}
        return Probed(Kind.VLLM, name, str(version.get("version", "")), _window(entry), slots=8)
    return Probed(Kind.PLAIN, name, window=_window(entry))


def _llama_server(name: str, entry: Entry, props: Mapping[str, Any]) -> Probed:
    settings = props.get("default_generation_settings") or {}
    return Probed(
        Kind.LLAMA_SERVER,
        name,
        str(props.get("build_info") or ""),
        _count(settings.get("n_ctx")) or _count((entry.get("meta") or {}).get("n_ctx")),
        _count(props.get("total_slots")) or 1,
        str(props["chat_template"]) or None,
        str(props.get("bos_token") or ""),
        str(props.get("eos_token") or ""),
        props.get("model_path"),
    )


def _props(connection: Connection, *, is_sure: bool) -> Mapping[str, Any] | None:
    """What llama-server says of itself. Where it is one for sure, a key that it refuses is no sign that
    there is nothing."""
    found = _found(connection, "/props", telling={401, 403} if is_sure else set())
    return found if found and "chat_template" in found and "default_generation_settings" in found else None


def _tokenizes(connection: Connection, model: str) -> bool:
    """Whether what stands before the server lets its other paths through."""
    try:
        found = connection.post(f"{connection.address.root}/tokenize", {"model": model, "prompt": "a"})
    except Refusal as refusal:
        if refusal.status in MISSING:
            return False
        raise
    return isinstance(found, dict) and isinstance(found.get("tokens"), list)


def _found(
    connection: Connection, path: str, telling: AbstractSet[int] = frozenset()
) -> Mapping[str, Any] | None:
    """What is at a path, None where there is nothing. Raises Refusal where that cannot be told, and for
    statuses that are `telling`."""
    try:
        found = connection.get(connection.address.root + path)
    except Refusal as refusal:
        if refusal.status is None or refusal.status in {429, 503, *telling}:
            raise
        return None
    return found if isinstance(found, dict) else None


def _entries(found: object) -> list[Entry] | None:
    entries = found.get("data") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        return None
    return [entry for entry in entries if isinstance(entry, dict) and entry.get("id")]


def _chosen(entries: Sequence[Entry], wanted: str | None, shown: str) -> Entry:
    """The entry of the model that is wanted, or of the only one. Raises ModelError."""
    names = [str(entry["id"]) for entry in entries]
    if wanted is None:
        if len(entries) == 1:
            return entries[0]
        if not entries:
            raise ModelError(f"{shown} lists no model: load one there, or set the model of [server]")
        raise ModelError(f"{shown} has several models: set the model of [server] to one of {listed(names)}")
    for entry, name in zip(entries, names, strict=True):
        if wanted in {name, *_aliases(entry)}:
            return entry
    near = get_close_matches(wanted, names, n=3, cutoff=0.5) or names
    raise ModelError(f"{shown} has no model {wanted}: set the model of [server] to one of {listed(near)}")


def _aliases(entry: Entry) -> Sequence[str]:
    aliases = entry.get("aliases")
    return aliases if isinstance(aliases, list) else ()


def _window(entry: Entry) -> int | None:
    """What a list of models says of the window, under the names that several APIs have for it."""
    return next(filter(None, (_count(entry.get(name)) for name in WINDOWS)), None)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
