"""A model's chat template: what it puts around messages, without ever seeing a message.

It is rendered with a mark in place of each message and split at the marks. The texts between
are the scaffold, tokenized with control tokens; the messages go in between them, tokenized
without, so nothing that a message says can become a control token.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING

from ctxchat.domain.conversation import Role
from ctxchat.domain.errors import ModelError
from ctxchat.domain.model import Scaffold, TemplateBehaviour
from ctxchat.engine.gguf.cursor import Texts
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.template.deadline import TEMPLATE_FILE, OutOfTimeError, within
from ctxchat.engine.template.probe import MARKS, ONE_DAY, between, probe
from ctxchat.engine.template.thinking import USUAL, Messages, Switch, Variables, find_switch

if TYPE_CHECKING:
    from ctxchat.engine.template.sandbox import SandboxedTemplate

MAX_SOURCE = 200_000
"""Characters, some ten times the longest known; compiling more would take seconds."""

SECONDS = 1.0
MAX_REASON = 300

OWN = "the file's own"
SUBSTITUTE = "ChatML: the file has no template"
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class ChatTemplate(ABC):
    """What is put around messages, found by rendering marks in their places.

    `source` is where the tags of reasoning are looked for, `origin` says where the template came from.
    """

    def __init__(self, source: str, origin: str) -> None:
        self.origin = origin
        self._source = source

    @cached_property
    def behaviour(self) -> TemplateBehaviour:
        return probe(self.render, self._source, switches_thinking=self.switch is not None)

    def scaffold(
        self, roles: Sequence[Role], *, at: datetime, think: bool | None, answer: bool = True
    ) -> Scaffold:
        """See `domain.ports.Template`."""
        marks = [MARKS.format(number) for number in range(len(roles))]
        messages = [{"role": role.value, "content": mark} for role, mark in zip(roles, marks, strict=True)]
        literals = between(self.render(messages, at=at, think=think, answer=answer), marks, roles)
        tags = self.behaviour.reasoning
        opens = tags is not None and answer and literals[-1].rstrip().endswith(tags.opening)
        return Scaffold(literals, opens_reasoning=opens)

    def render(self, messages: Messages, *, at: datetime, think: bool | None, answer: bool) -> str:
        """The text of messages. Raises ModelError."""
        told: Variables = {}
        if think is not None:
            switch = self.switch or USUAL
            told = switch.on if think else switch.off
        return self._rendered(messages, told, at, answer=answer)

    @cached_property
    def switch(self) -> Switch | None:
        """What switches reasoning, with a system message or without one."""
        question = {"role": Role.USER.value, "content": MARKS.format(1)}
        system = {"role": Role.SYSTEM.value, "content": MARKS.format(0)}

        def text(messages: Messages, told: Variables) -> str | None:
            try:
                return self._rendered(messages, told, ONE_DAY, answer=True)
            except ModelError:
                return None

        found = (find_switch(partial(text, m), MARKS.format(1)) for m in ([system, question], [question]))
        return next(filter(None, found), None)

    @abstractmethod
    def _rendered(self, messages: Messages, told: Variables, at: datetime, *, answer: bool) -> str:
        """The text of messages, where the template is `told` some variables. Raises ModelError."""


class JinjaTemplate(ChatTemplate):
    """A chat template in Jinja, run in a sandbox for at most a second.

    `bos` and `eos` are the texts of the tokens that begin and end a text.
    """

    def __init__(self, source: str, *, bos: str, eos: str, origin: str = OWN) -> None:
        super().__init__(source, origin)
        self._bos, self._eos = bos, eos

    def _rendered(self, messages: Messages, told: Variables, at: datetime, *, answer: bool) -> str:
        """What is not known (tools, documents) is left out and not None: many templates ask whether it is
        defined."""
        variables: dict[str, object] = {
            "messages": messages,
            "add_generation_prompt": answer,
            "bos_token": self._bos,
            "eos_token": self._eos,
            "strftime_now": at.strftime,
            **told,
        }
        template = self._compiled
        with _told():
            return within(SECONDS, TEMPLATE_FILE, partial(template.render, variables))

    @cached_property
    def _compiled(self) -> "SandboxedTemplate":
        if len(self._source) > MAX_SOURCE:
            raise ModelError(f"the chat template is {len(self._source):,} characters long")
        from ctxchat.engine.template.sandbox import SandboxedTemplate

        with _told():
            return SandboxedTemplate(self._source)


def template_of(header: GgufHeader) -> JinjaTemplate:
    """The template of a model file, ChatML where it has none."""
    source = header.text("tokenizer.chat_template")
    bos, eos = _token(header, "bos"), _token(header, "eos")
    if source is None:
        return JinjaTemplate(CHATML, bos=bos, eos=eos, origin=SUBSTITUTE)
    return JinjaTemplate(source, bos=bos, eos=eos)


@contextmanager
def _told() -> Iterator[None]:
    """Tell in one line whatever a template does wrong."""
    try:
        yield
    except OutOfTimeError:
        raise ModelError("the chat template did not finish in time") from None
    except Exception as error:
        raise ModelError(f"the chat template refuses: {_reason(error)}") from error


def _token(header: GgufHeader, which: str) -> str:
    """The text of a token the file names by its id, empty where it names none."""
    number = header.metadata.get(f"tokenizer.ggml.{which}_token_id")
    tokens = header.metadata.get("tokenizer.ggml.tokens")
    if isinstance(number, int) and isinstance(tokens, Texts | tuple) and 0 <= number < len(tokens):
        return str(tokens[number])
    return ""


def _reason(error: Exception) -> str:
    """What a template says, in one line."""
    said = " ".join(str(error).split()) or type(error).__name__
    return said if len(said) <= MAX_REASON else f"{said[:MAX_REASON]} …"
