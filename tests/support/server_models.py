"""Models behind servers, for tests."""

from pathlib import Path

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Role
from ctxchat.domain.events import EngineEvent, Generated
from ctxchat.domain.model import Generation
from ctxchat.domain.prompt import PromptMessage
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.server.model import ServerModel
from ctxchat.engine.server.options import ServerOptions

GREEDY = Sampling(temperature=0)


def server_options(url: str, folder: Path, **changed: object) -> ServerOptions:
    """Options for a server on loopback; what is found out is kept in `folder`."""
    usual: dict[str, object] = {
        "name": "",
        "url": url,
        "model": None,
        "key": None,
        "headers": {},
        "timeout": 20.0,
        "window": None,
        "vocabulary": None,
        "cache_folder": folder,
    }
    return ServerOptions(**usual | changed)  # type: ignore[arg-type]


def loaded_server(url: str, folder: Path, **changed: object) -> ServerModel:
    """A model behind a server, loaded. Whoever calls closes it."""
    model = ServerModel(server_options(url, folder, **changed))
    list(model.load(Cancel()))
    return model


def question(model: ServerModel, text: str = "hello", limit: int = 12, **more: object) -> Generation:
    """A question as ids and as messages."""
    ids = model.vocabulary.tokenize(text, special=False, after=None)
    messages = (PromptMessage(Role.USER, text),)
    return Generation(ids, GREEDY, limit, messages=messages, **more)  # type: ignore[arg-type]


def told(model: ServerModel, generation: Generation, cancel: Cancel | None = None) -> list[EngineEvent]:
    return list(model.generate(generation, cancel or Cancel()))


def last(events: list[EngineEvent]) -> Generated:
    assert isinstance(events[-1], Generated)
    return events[-1]
