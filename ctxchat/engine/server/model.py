"""A model that a server runs."""

from collections.abc import Iterator
from functools import partial

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import EngineError
from ctxchat.domain.events import EngineEvent, Generated, ModelLoading, Warned
from ctxchat.domain.measurement import Calibration
from ctxchat.domain.model import Generation, ModelFacts
from ctxchat.domain.ports import Template, Vocabulary
from ctxchat.engine.server.costs import ServerCosts
from ctxchat.engine.server.generation import generate
from ctxchat.engine.server.known import KnownServer
from ctxchat.engine.server.options import ServerOptions
from ctxchat.engine.server.prefixes import SentPrefixes
from ctxchat.engine.server.probing import Probed
from ctxchat.engine.server.thread import streamed


class ServerModel:
    """A model behind an OpenAI-compatible server; see `domain.ports.Model`. Connects to nothing before
    `load`."""

    def __init__(self, options: ServerOptions) -> None:
        self._options = options
        self._known: KnownServer | None = None

    @property
    def facts(self) -> ModelFacts:
        return self._server().facts

    @property
    def probed(self) -> Probed:
        """What the server says of itself."""
        return self._server().probed

    @property
    def vocabulary(self) -> Vocabulary:
        return self._server().vocabulary

    @property
    def template(self) -> Template:
        return self._server().template

    @property
    def cache(self) -> None:
        return None

    @property
    def prefixes(self) -> SentPrefixes:
        return self._server().prefixes

    @property
    def costs(self) -> ServerCosts | None:
        return self._known.costs if self._known else None

    def load(self, cancel: Cancel, *, weights: bool = True) -> Iterator[ModelLoading | Warned]:  # noqa: ARG002 - of the port
        """Find out what the server is, once, and tell what it lacks. Raises ModelError; ends early, not
        loaded, where it was cancelled."""
        if self._known or cancel.requested:
            return
        yield ModelLoading(0, 1)
        opened: list[KnownServer] = []
        stop = Cancel()

        def find_out(_: object) -> None:
            opened.append(KnownServer(self._options))
            if stop.requested:
                opened.pop().close()

        with cancel.calling(stop.request):
            yield from streamed(find_out, stop, "server")
        if opened:
            self._known = opened[0]
            yield ModelLoading(1, 1)
            for notice in opened[0].notices:
                yield Warned(notice)

    def generate(self, generation: Generation, cancel: Cancel) -> Iterator[EngineEvent]:
        """Answer; see `domain.ports.Model`."""
        server, stop = self._server(), Cancel()
        ended = False
        with cancel.calling(stop.request):
            for event in streamed(partial(generate, server, generation, stop), stop, "answer"):
                ended = isinstance(event, Generated)
                yield event
        if not ended:
            yield Generated(Finish.CANCELLED, "", ())

    def calibrate(self, cancel: Cancel, seconds: float) -> Iterator[Calibration]:  # noqa: ARG002 - of the port
        """Gives none: it would be work that nobody asked the server for."""
        return iter(())

    def memory(self) -> None:
        return None

    def close(self) -> None:
        """Safe to call twice."""
        known, self._known = self._known, None
        if known:
            known.close()

    def _server(self) -> KnownServer:
        if self._known is None:
            raise EngineError("the model is not loaded")
        return self._known
