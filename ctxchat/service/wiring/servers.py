"""Models that servers run: found by their names, and asked with the key the settings name."""

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ctxchat import locations
from ctxchat.domain.errors import ModelError
from ctxchat.settings.schema import Settings
from ctxchat.settings.server import KEY_VARIABLE, ServerSettings, configured, reference_to, server_of

if TYPE_CHECKING:
    from ctxchat.domain.prices import Prices
    from ctxchat.engine.server.model import ServerModel
    from ctxchat.service.model_in_use import OpenedModel
    from ctxchat.service.servers import Servers

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def opened_server(settings: Settings, name: str) -> "OpenedModel":
    """The model of a server, asked for nothing yet. Raises ModelError where there is no such server, or no
    connection is allowed, and UsageError where its key cannot be had."""
    from ctxchat.service.model_in_use import OpenedModel

    return OpenedModel(server_model(settings, name), prices=_prices(server_of(settings, name)))


def server_model(settings: Settings, name: str) -> "ServerModel":
    """The same, without what it costs."""
    server = server_of(settings, name)
    if settings.offline:
        raise ModelError(
            f"{reference_to(name)} is at {server.url}, and no connection is allowed (--offline): name a file "
            "with -m, or allow it"
        )
    from ctxchat.engine.server.model import ServerModel
    from ctxchat.engine.server.options import ServerOptions

    assert server.url
    return ServerModel(
        ServerOptions(
            name=name,
            url=server.url,
            model=server.model,
            key=_key(name, server),
            headers=_headers(name, server.headers or {}),
            timeout=server.timeout,
            window=settings.model.ctx_size,
            vocabulary=server.vocabulary,
            cache_folder=locations.cache_folder(),
        )
    )


def servers(settings: Settings) -> "Servers":
    """The servers of the settings, as lists show them."""
    from ctxchat.service.servers import Servers

    return Servers(configured(settings), lambda name: opened_server(settings, name))


def _key(name: str, server: ServerSettings) -> str | None:
    """A key is only read where a request is about to need it."""
    from ctxchat.settings.secrets import secret

    env = server.key_env
    if env is None and server.key_command is None and not name and os.environ.get(KEY_VARIABLE):
        env = KEY_VARIABLE
    return secret(env, server.key_command)


def _headers(name: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with variables in the place of their names."""

    def value(found: re.Match[str]) -> str:
        variable = found[1] or found[2]
        if variable not in os.environ:
            raise ModelError(
                f"a header of {reference_to(name)} needs the environment variable {variable}, "
                "which is not set"
            )
        return os.environ[variable]

    return {header: _VARIABLE.sub(value, text) for header, text in headers.items()}


def _prices(server: ServerSettings) -> "Prices | None":
    from ctxchat.domain.prices import Prices

    return Prices(**server.prices) if server.prices else None  # type: ignore[arg-type]
