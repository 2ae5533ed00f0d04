"""A server that was probed, with all that is needed to ask it."""

from collections.abc import Sequence
from datetime import datetime

from ctxchat.domain.errors import CtxChatError, ModelError
from ctxchat.domain.model import ModelFacts
from ctxchat.domain.ports import Template
from ctxchat.domain.window import DEFAULT_WINDOW
from ctxchat.engine.server.connection import Connection
from ctxchat.engine.server.costs import ServerCosts
from ctxchat.engine.server.dialects.dialect import Dialect
from ctxchat.engine.server.dialects.llama_server import LlamaServerDialect
from ctxchat.engine.server.dialects.plain import PlainDialect
from ctxchat.engine.server.dialects.vllm import VllmDialect
from ctxchat.engine.server.kept import KeptAnswers
from ctxchat.engine.server.options import ServerOptions
from ctxchat.engine.server.prefixes import SentPrefixes
from ctxchat.engine.server.probing import Kind, Probed, model_entry, probe_server, signature
from ctxchat.engine.server.refusals import Refusal, told
from ctxchat.engine.server.templates import template_of_server
from ctxchat.engine.server.vocabularies.choosing import choose_vocabulary

DIALECTS: dict[Kind, type[Dialect]] = {
    Kind.LLAMA_SERVER: LlamaServerDialect,
    Kind.VLLM: VllmDialect,
    Kind.PLAIN: PlainDialect,
}


class KnownServer:
    """What is there once a server was probed: one request, where it was before. Raises ModelError and
    EngineError."""

    def __init__(self, options: ServerOptions) -> None:
        self.connection = Connection(options)
        self.shown = self.connection.address.shown
        try:
            self.probed, kept = self._probe(options)
            self.dialect: Dialect = DIALECTS[self.probed.kind]()
            self._chosen = choose_vocabulary(options, self.probed, self.connection, kept)
            self.template: Template = template_of_server(
                self.probed, self._chosen.template, self.connection, kept
            )
        except (Refusal, CtxChatError) as error:
            self.connection.close()
            if isinstance(error, Refusal):
                raise ModelError(told(error, self.shown, options.model)) from None
            raise
        self.vocabulary = self._chosen.vocabulary
        self.prefixes = SentPrefixes(self.probed.slots, self.dialect.block, is_known=self.dialect.takes_ids)
        self.costs = ServerCosts(self.shown, self.probed.model)
        self.facts = _facts(self.probed, options, self.shown)
        self.notices = _notices(self.probed, options, self.shown)
        self._told_of: set[str] = set()

    def left_out(self, names: Sequence[str]) -> list[str]:
        """What to tell of sampling options that the server does not know, once for each."""
        new = [name for name in names if name not in self._told_of]
        self._told_of.update(new)
        return [f"{self.shown} has no option {' or '.join(new)}: left out"] if new else []

    def close(self) -> None:
        self.connection.close()
        self._chosen.close()

    def _probe(self, options: ServerOptions) -> tuple[Probed, KeptAnswers]:
        """What is known holds for a day: a chat template may show the date."""
        entry = model_entry(self.connection, options)
        seen = signature(entry) | {"day": datetime.now().astimezone().date().isoformat()}
        kept = KeptAnswers(options.cache_folder, self.shown, str(entry["id"]), seen)
        if kept.probed is None:
            kept.keep(probe_server(self.connection, entry))
        assert kept.probed
        return kept.probed, kept


def _facts(probed: Probed, options: ServerOptions, shown: str) -> ModelFacts:
    return ModelFacts(
        name=(probed.model.rpartition("/")[2] or probed.model).removesuffix(".gguf"),
        path=shown,
        architecture=str(probed.kind),
        window=probed.window or options.window or DEFAULT_WINDOW,
        layers=None,
        weights=None,
    )


def _notices(probed: Probed, options: ServerOptions, shown: str) -> Sequence[str]:
    if probed.window is None or options.window is None or options.window <= probed.window:
        return ()
    less = f"{shown} gives a window of {probed.window:,} tokens and not the {options.window:,} that are set"
    return (f"{less}: set --ctx-size {probed.window}, or start it with more",)
