"""What a request in OpenAI's words, and vLLM's own, asks of the model."""

import json
from collections.abc import Mapping
from typing import Any

from ctxchat.domain.sampling import Sampling
from ctxchat.engine.grammar.follower import grammar_of
from ctxchat.engine.grammar.json_schema import grammar_of_schema
from tests.support.servers.double import as_texts


def grammar_asked(body: Mapping[str, Any]) -> str | None:
    """The grammar of `structured_outputs` or of `response_format`. Raises UsageError."""
    outputs = body.get("structured_outputs") or {}
    if outputs.get("grammar") is not None:
        grammar_of(str(outputs["grammar"]))
        return str(outputs["grammar"])
    schema = outputs.get("json")
    shaped = body.get("response_format") or {}
    if shaped.get("type") == "json_schema":
        schema = shaped["json_schema"].get("schema")
    elif shaped.get("type") == "json_object":
        schema = {"type": "object"}
    if schema is None:
        return None
    return grammar_of_schema(schema if isinstance(schema, str) else json.dumps(schema))


def sampling_asked(body: Mapping[str, Any]) -> Sampling:
    """Defaults are OpenAI's: nothing is cut, and the temperature is 1."""

    def given(name: str, default: Any) -> Any:
        return default if body.get(name) is None else body[name]

    return Sampling(
        temperature=given("temperature", 1.0),
        top_k=max(0, given("top_k", 0)),
        top_p=given("top_p", 1.0),
        min_p=given("min_p", 0.0),
        repeat_penalty=given("repetition_penalty", 1.0),
        presence_penalty=given("presence_penalty", 0.0),
        frequency_penalty=given("frequency_penalty", 0.0),
        seed=body.get("seed"),
        stop=as_texts(body.get("stop")),
    )
