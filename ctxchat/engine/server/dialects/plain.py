"""An OpenAI API that knows messages alone."""

from collections.abc import Mapping
from typing import Any

from ctxchat.domain.errors import UsageError
from ctxchat.domain.model import Generation
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.server.address import Address
from ctxchat.engine.server.dialects.constraints import schema_format
from ctxchat.engine.server.dialects.dialect import Delta, Request, error_in, finish_of, usage_in
from ctxchat.engine.server.probing import Probed
from ctxchat.engine.server.refusals import Refusal

MOST_STOPS = 4
"""Stop strings that OpenAI takes; the rest are seen here."""

LIMIT, NEW_LIMIT = "max_tokens", "max_completion_tokens"

DISPENSABLE = (
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "stop",
    "stream_options",
)
"""What some models refuse, and what an answer can be had without."""


class PlainDialect:
    """What a server refuses of a request is said otherwise, or left out, from then on."""

    takes_ids = False
    reads_alone = False
    block = 1

    def __init__(self) -> None:
        self._limit = LIMIT
        self._refused: list[str] = []
        self._names_schema = True

    def request(self, generation: Generation, probed: Probed, address: Address) -> Request:
        sampling = generation.sampling
        body: dict[str, object] = {
            "model": probed.model,
            "messages": [
                {"role": message.role.value, "content": message.text} for message in generation.messages
            ],
            self._limit: generation.limit,
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "presence_penalty": sampling.presence_penalty,
            "frequency_penalty": sampling.frequency_penalty,
        }
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        if sampling.stop:
            body["stop"] = list(sampling.stop[:MOST_STOPS])
        if constraint := generation.constraint:
            if constraint.schema is None:
                raise UsageError(
                    f"{probed.model} runs behind an API that takes no grammar: ask with --schema, or without"
                )
            body["response_format"] = schema_format(constraint.schema, named=self._names_schema)
        refused = [name for name in self._refused if body.pop(name, None) is not None]
        return Request(f"{address.api}/chat/completions", body, (*_left_out(sampling), *refused))

    def reader(self) -> "PlainDialect":
        return self

    def adapts(self, refusal: Refusal) -> bool:
        if refusal.status not in {400, 422, 500}:
            return False
        if NEW_LIMIT in refusal.said and self._limit == LIMIT:
            self._limit = NEW_LIMIT
            return True
        if "json_schema" in refusal.said and self._names_schema:
            self._names_schema = False
            return True
        new = [name for name in DISPENSABLE if name in refusal.said and name not in self._refused]
        self._refused += new[:1]
        return bool(new)

    def read(self, chunk: Mapping[str, Any], /) -> Delta:
        usage, error = usage_in(chunk), error_in(chunk)
        choices = chunk.get("choices")
        if not choices:
            return Delta(usage=usage, error=error)
        choice = choices[0]
        delta = choice.get("delta") or {}
        return Delta(
            text=delta.get("content") or "",
            reasoning=delta.get("reasoning_content") or delta.get("reasoning") or "",
            finish=finish_of(choice.get("finish_reason")),
            usage=usage,
            error=error,
        )


def _left_out(sampling: Sampling) -> tuple[str, ...]:
    """Options that are set to something, and that this API has no name for."""
    given, usual = sampling, Sampling()
    names = ("top_k", "min_p", "typical_p", "repeat_penalty")
    return tuple(name for name in names if getattr(given, name) != getattr(usual, name))
