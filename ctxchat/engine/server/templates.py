"""The chat template of a server: run here where it gives it, at the server where not, or estimated."""

import json
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

from ctxchat.domain.errors import EngineError, ModelError
from ctxchat.domain.model import ReasoningTags, TemplateBehaviour
from ctxchat.domain.ports import Template
from ctxchat.engine.server.connection import Connection
from ctxchat.engine.server.kept import KeptAnswers
from ctxchat.engine.server.probing import Kind, Probed
from ctxchat.engine.server.refusals import Refusal
from ctxchat.engine.server.refusals import told as told_of
from ctxchat.engine.server.vocabularies.served import VllmTokens
from ctxchat.engine.template.chat_template import CHATML, ChatTemplate, JinjaTemplate
from ctxchat.engine.template.thinking import KNOWN_TAGS, Messages, Variables

SERVED, ESTIMATED = "the server's own", "not known: ChatML is counted in its place"


def template_of_server(
    probed: Probed, of_file: Template | None, connection: Connection, kept: KeptAnswers
) -> Template:
    """Raises Refusal and ModelError."""
    if probed.template is not None:
        return JinjaTemplate(probed.template, bos=probed.bos, eos=probed.eos, origin=SERVED)
    if of_file is not None:
        return of_file
    if probed.kind is Kind.PLAIN:
        return EstimatedTemplate()
    return ServedTemplate(connection, probed.model, kept)


class EstimatedTemplate(JinjaTemplate):
    """Counted in the place of one that nobody can see. What it does to reasoning is not known, so none is
    sent back."""

    def __init__(self) -> None:
        super().__init__(CHATML, bos="", eos="", origin=ESTIMATED)

    @cached_property
    def behaviour(self) -> TemplateBehaviour:
        tags = ReasoningTags("<think>", "</think>")
        return replace(super().behaviour, strips_reasoning=True, reasoning=tags)


class ServedTemplate(ChatTemplate):
    """A template that only vLLM has: it tokenizes messages, and tells the text of the tokens. What it said is
    kept."""

    def __init__(self, connection: Connection, model: str, kept: KeptAnswers) -> None:
        self._connection, self._model, self._kept = connection, model, kept
        self._tokens = VllmTokens(connection, model)
        self._texts: dict[str, str] = {}
        super().__init__(self._known_tags(), SERVED)

    def _rendered(
        self,
        messages: Messages,
        told: Variables,
        at: datetime,  # noqa: ARG002 - today's date is the server's
        *,
        answer: bool,
    ) -> str:
        body: dict[str, Any] = {
            "model": self._model,
            "messages": list(messages),
            "add_generation_prompt": answer,
        }
        if told:
            body["chat_template_kwargs"] = dict(told)
        question = json.dumps(body)
        text = self._texts.get(question)
        if text is None:
            text = self._texts[question] = self._remembered(question, body)
        return text

    def _remembered(self, question: str, body: dict[str, Any]) -> str:
        known = self._kept.answer(question)
        if isinstance(known, dict):
            if "refused" in known:
                raise ModelError(f"the chat template refuses: {known['refused']}")
            return str(known["text"])
        try:
            text = self._asked(body)
        except Refusal as refusal:
            if refusal.status not in {400, 422, 500}:
                raise EngineError(told_of(refusal, self._connection.address.shown, None)) from None
            self._kept.keep_answer(question, {"refused": refusal.said})
            raise ModelError(f"the chat template refuses: {refusal.said}") from None
        self._kept.keep_answer(question, {"text": text})
        return text

    def _asked(self, body: dict[str, Any]) -> str:
        found = self._connection.post(f"{self._connection.address.root}/tokenize", body)
        return self._tokens.decode(found["tokens"])

    def _known_tags(self) -> str:
        """The tags of reasoning that are tokens of the vocabulary."""
        known = self._kept.answer("tags")
        if isinstance(known, str):
            return known
        spelled = [text for tags in KNOWN_TAGS for text in (tags.opening, tags.closing)]
        tokens = set(self._tokens.encode("\n".join(spelled), special=True)[1])
        found = [tags for tags in KNOWN_TAGS if {tags.opening, tags.closing} <= tokens]
        source = "".join(tags.opening + tags.closing for tags in found)
        self._kept.keep_answer("tags", source)
        return source
