"""vLLM: a list of ids as the prompt, and the ids it decoded in each chunk."""

from collections.abc import Mapping
from typing import Any

from ctxchat.domain.events import Usage
from ctxchat.domain.model import Generation
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.server.address import Address
from ctxchat.engine.server.dialects.constraints import grammar_for, schema_format
from ctxchat.engine.server.dialects.dialect import Delta, Request, error_in, finish_of, usage_in
from ctxchat.engine.server.probing import Probed
from ctxchat.engine.server.refusals import Refusal


class VllmDialect:
    takes_ids = True
    reads_alone = False
    block = 16

    def request(self, generation: Generation, probed: Probed, address: Address) -> Request:
        body: dict[str, object] = {
            "model": probed.model,
            "prompt": list(generation.ids),
            "max_tokens": generation.limit,
            "stream": True,
            "stream_options": {"include_usage": True},
            "return_token_ids": True,
            "add_special_tokens": False,
            "skip_special_tokens": False,
            "spaces_between_special_tokens": False,
            **sampling_names(generation.sampling),
        }
        if constraint := generation.constraint:
            if constraint.schema and generation.reasoning is None:
                body["response_format"] = schema_format(constraint.schema)
            else:
                body["structured_outputs"] = {"grammar": grammar_for(generation, constraint)}
        return Request(f"{address.api}/completions", body, left_out(generation.sampling))

    def reader(self) -> "VllmDialect":
        return self

    def adapts(self, refusal: Refusal) -> bool:  # noqa: ARG002 - of the protocol
        return False

    def read(self, chunk: Mapping[str, Any], /) -> Delta:
        usage, error = usage_in(chunk), error_in(chunk)
        choices = chunk.get("choices")
        if not choices:
            return Delta(usage=usage, error=error)
        choice = choices[0]
        if usage is None and (prompt := choice.get("prompt_token_ids")):
            usage = Usage(len(prompt))
        return Delta(
            text=choice.get("text") or "",
            ids=tuple(choice.get("token_ids") or ()),
            finish=finish_of(choice.get("finish_reason")),
            usage=usage,
            error=error,
        )


def sampling_names(sampling: Sampling) -> dict[str, object]:
    """Sampling under vLLM's names."""
    named: dict[str, object] = {
        "temperature": sampling.temperature,
        "top_k": sampling.top_k if sampling.top_k > 0 else -1,
        "top_p": sampling.top_p,
        "min_p": sampling.min_p,
        "repetition_penalty": sampling.repeat_penalty,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
    }
    return named if sampling.seed is None else named | {"seed": sampling.seed}


def left_out(sampling: Sampling) -> tuple[str, ...]:
    return ("typical_p",) if sampling.typical_p != 1.0 else ()
