"""How the next token is chosen: llama.cpp's own samplers, in llama.cpp's order."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ctxchat.domain.errors import UsageError
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.llama.bindings import library

RANDOM_SEED = 0xFFFFFFFF
"""llama.cpp draws a seed for this one."""


@contextmanager
def sampler(sampling: Sampling, vocabulary_size: int, prompt: Sequence[int]) -> Iterator[Any]:
    """A chain of samplers, freed at the end.

    Sampling from it accepts the token as well. Tokens of the prompt count for the penalties.
    """
    if sampling.repeat_penalty <= 0:
        raise UsageError(f"the repeat penalty must be above 0, not {sampling.repeat_penalty:g}; 1 is none")
    lib = library()
    chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
    try:
        for step in _steps(sampling, vocabulary_size, len(prompt)):
            lib.llama_sampler_chain_add(chain, step)
        if penalizes(sampling):
            for token in prompt[-_span(sampling, len(prompt)) :]:
                lib.llama_sampler_accept(chain, token)
        yield chain
    finally:
        lib.llama_sampler_free(chain)


def _steps(sampling: Sampling, vocabulary_size: int, prompt: int) -> Iterator[Any]:
    lib = library()
    if penalizes(sampling):
        yield lib.llama_sampler_init_penalties(
            vocabulary_size,
            _span(sampling, prompt),
            sampling.repeat_penalty,
            sampling.frequency_penalty,
            sampling.presence_penalty,
        )
    if sampling.temperature <= 0:
        yield lib.llama_sampler_init_greedy()
        return
    if sampling.top_k > 0:
        yield lib.llama_sampler_init_top_k(sampling.top_k)
    if sampling.typical_p < 1:
        yield lib.llama_sampler_init_typical(sampling.typical_p, 1)
    if sampling.top_p < 1:
        yield lib.llama_sampler_init_top_p(sampling.top_p, 1)
    if sampling.min_p > 0:
        yield lib.llama_sampler_init_min_p(sampling.min_p, 1)
    yield lib.llama_sampler_init_temp(sampling.temperature)
    yield lib.llama_sampler_init_dist(RANDOM_SEED if sampling.seed is None else sampling.seed % 2**32)


def penalizes(sampling: Sampling) -> bool:
    """Whether what was said before counts."""
    neutral = (
        sampling.repeat_penalty == 1 and sampling.presence_penalty == 0 and sampling.frequency_penalty == 0
    )
    return not neutral and sampling.repeat_last_n != 0


def _span(sampling: Sampling, prompt: int) -> int:
    """Tokens the penalties look back at; below zero means the whole prompt."""
    return sampling.repeat_last_n if sampling.repeat_last_n > 0 else max(prompt, 1)
