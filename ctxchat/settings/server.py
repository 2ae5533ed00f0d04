"""What there is to set of a server, and which one is meant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctxchat.domain.errors import ModelError
from ctxchat.settings.key import key
from ctxchat.settings.kinds import Real, Text
from ctxchat.settings.server_kinds import Address, HeaderTable, PriceTable

if TYPE_CHECKING:
    from ctxchat.settings.schema import Settings

REFERENCE = "server"
"""What names the server of `[server]`; `server:NAME` names that of `[server.NAME]`."""

KEY_VARIABLE = "CTXCHAT_SERVER_KEY"
"""Holds the key of the server of `[server]` where its settings name no other place."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """An OpenAI-compatible server."""

    url: str | None = key(
        None,
        Address(),
        "The server that answers where no model is set, and as `-m server`. Others stand in sections "
        "[server.NAME] with the same keys, and answer as `-m server:NAME`. Not taken from a project file.",
        example="http://127.0.0.1:8000/v1",
        trusted=True,
    )
    model: str | None = key(
        None, Text(), "The model it is asked for; else the only one it lists.", example="Qwen/Qwen3-8B"
    )
    key_env: str | None = key(
        None,
        Text(),
        f"The environment variable that holds its key; unless set, {KEY_VARIABLE} where there is one.",
        example="OPENAI_API_KEY",
        trusted=True,
    )
    key_command: str | None = key(
        None,
        Text(),
        "A command whose first line is that key, run without a shell, where the variable is not set.",
        example="pass show openai",
        trusted=True,
    )
    headers: Mapping[str, str] | None = key(
        None,
        HeaderTable(),
        "Headers of every request; $NAME in one stands for an environment variable.",
        example={"X-Team": "$TEAM"},
        trusted=True,
    )
    timeout: float = key(120.0, Real(least=1), "Seconds until a server that says nothing has failed.")
    prices: Mapping[str, object] | None = key(
        None,
        PriceTable(),
        "What a million tokens cost: of a prompt, of what is cached of it, and of an answer.",
        example={"input": 0.5, "cached": 0.05, "output": 1.5, "currency": "USD"},
    )
    vocabulary: str | None = key(
        None,
        Text(path=True),
        "A GGUF of the same model, by whose vocabulary tokens are counted here and not at the server.",
        example="~/models/model.gguf",
    )


def named(reference: str | None) -> str | None:
    """The name of the server that a reference to a model means, empty for that of `[server]`; None where
    it means a file."""
    if reference is None:
        return None
    kind, colon, name = reference.partition(":")
    return name if kind == REFERENCE and (colon or not name) else None


def reference_to(name: str) -> str:
    """What a person types for a server."""
    return f"{REFERENCE}:{name}" if name else REFERENCE


def meant(settings: "Settings") -> str | None:
    """The name of the server that answers, None where a file does."""
    if settings.model.path is None:
        return "" if settings.server.url else None
    return named(settings.model.path)


def configured(settings: "Settings") -> dict[str, ServerSettings]:
    """All servers that have an address, by their names."""
    every = {"": settings.server, **settings.servers}
    return {name: server for name, server in every.items() if server.url}


def server_of(settings: "Settings", name: str) -> ServerSettings:
    """The server of a name. Raises ModelError where there is none, or it has no address."""
    servers = configured(settings)
    if name in servers:
        return servers[name]
    section = f"[server.{name}]" if name else "[server]"
    there = ", ".join(map(reference_to, servers)) or "none"
    raise ModelError(f"{reference_to(name)}: the settings have no {section} with a url; there is {there}")
