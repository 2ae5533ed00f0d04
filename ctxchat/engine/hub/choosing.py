"""Which model of a repository is meant, and which suits this machine where none is named."""

import re
from collections.abc import Sequence

from ctxchat.domain.errors import ModelError
from ctxchat.engine.hub.amounts import gigabytes
from ctxchat.engine.hub.repository import RepoModel

_GOOD = re.compile(r"(UD-)?Q(4_K_(M|L|XL)|5_\w+|6_K\w*|8_\w+)")
"""From Q4_K_M, below which answers become worse, to Q8_0, above which they become no better."""

_WHOLE = re.compile(r"B?F16|F32")

BESIDE = 768 << 20
SHARE_BESIDE = 0.05
"""What a model takes beside its weights: cells of a common window, and room to compute in."""


def taken(model: RepoModel) -> int:
    """Bytes of memory a model takes while it answers, roughly."""
    return round(model.bytes * (1 + SHARE_BESIDE)) + BESIDE


def named(models: Sequence[RepoModel], repo: str, quantization: str) -> RepoModel:
    """The model of a quantization, or of a file name. Raises ModelError with those there are."""
    asked = quantization.lower().removesuffix(".gguf")
    meant = [model for model in models if model.quantization.lower() == asked]
    meant = meant or [model for model in models if model.name.lower() == asked]
    if len(meant) == 1:
        return meant[0]
    if meant:
        names = " or ".join(f"{repo}:{model.name}" for model in meant)
        raise ModelError(f"{repo} has several models of {quantization}: name {names}")
    there = ", ".join(f"{model.quantization} ({gigabytes(model.bytes)})" for model in models)
    raise ModelError(f"{repo} has no {quantization}; there are {there}")


def suited(models: Sequence[RepoModel], repo: str, free: int | None) -> tuple[RepoModel, str]:
    """The best model that fits into so many bytes of memory, and why it is that. Raises ModelError where
    none does."""
    if free is None:
        good = [model for model in models if _is_good(model)]
        return (good or list(models))[0], "the smallest good one: how much memory is free is not known here"
    fitting = [model for model in models if taken(model) <= free]
    if not fitting:
        least = models[0]
        raise ModelError(
            f"no model of {repo} fits: the smallest, {least.quantization}, takes about "
            f"{gigabytes(taken(least))} ({gigabytes(least.bytes)} of weights), and "
            f"{gigabytes(free)} of memory are free; "
            f"`ctxchat models pull {repo}:{least.quantization}` gets it all the same"
        )
    if len(models) == 1:
        return models[
            0
        ], f"the only one there is; it takes about {gigabytes(taken(models[0]))} of {gigabytes(free)} free"
    good = [model for model in fitting if _is_good(model)]
    quantized = [model for model in fitting if not _WHOLE.fullmatch(model.quantization)]
    chosen = (good or quantized or fitting)[-1]
    kind = "the best from Q4_K_M to Q8_0" if good else "nothing from Q4_K_M to Q8_0 fits, it is the largest"
    return chosen, (
        f"{kind} that fits: it takes about {gigabytes(taken(chosen))} of the {gigabytes(free)} of memory "
        "that are free"
    )


def _is_good(model: RepoModel) -> bool:
    return _GOOD.fullmatch(model.quantization) is not None
