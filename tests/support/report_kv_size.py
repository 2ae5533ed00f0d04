"""Prints the MiB of KV cache that llama.cpp takes for 16,384 cells, in a process of its own.

python report_kv_size.py MODEL TYPE_K TYPE_V FLASH …       four arguments for each line
"""

import ctypes
import re
import sys

import llama_cpp.llama_cpp as lib

CELLS = 16_384
TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8, "iq4_nl": 20, "bf16": 30}


def main(arguments: list[str]) -> None:
    sizes: list[float] = []

    @lib.llama_log_callback  # type: ignore[untyped-decorator]
    def receive(_level: int, text: bytes, _user: ctypes.c_void_p) -> None:
        found = re.search(rb"^llama_kv_cache: +size = +([\d.]+) MiB", text)
        if found:
            sizes.append(float(found[1]))

    lib.llama_log_set(receive, None)
    for path, type_k, type_v, flash in zip(*[iter(arguments)] * 4, strict=True):
        model = lib.llama_model_load_from_file(path.encode(), lib.llama_model_default_params())
        params = lib.llama_context_default_params()
        sizes.clear()
        params.n_ctx, params.n_batch, params.n_ubatch = CELLS, 128, 128
        params.type_k, params.type_v = TYPES[type_k], TYPES[type_v]
        params.flash_attn_type = int(flash)
        context = lib.llama_init_from_model(model, params)
        print(sum(sizes) if context else "none")
        lib.llama_free(context)
        lib.llama_model_free(model)


main(sys.argv[1:])
