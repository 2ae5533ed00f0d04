"""llama-cpp-python's `Llama` in one process: all messages a line on stdin, as JSON; on stdout a line when the
answer begins, and one with the tokens evaluated, as llama.cpp counts them, and the answer."""

import json
import os
import sys

from llama_cpp import Llama, llama_perf_context

from smol import path

window, tokens = int(sys.argv[1]), int(sys.argv[2])
llama = Llama(str(path()), n_ctx=window, n_threads=1, n_threads_batch=1, verbose=False)
before = 0
for line in sys.stdin:
    parts: list[str] = []
    for chunk in llama.create_chat_completion(
        json.loads(line), stream=True, max_tokens=tokens, temperature=0.0
    ):
        if text := chunk["choices"][0]["delta"].get("content"):
            if not parts:
                print("begun", flush=True)
            parts.append(text)
    evaluated = llama_perf_context(llama._ctx.ctx).n_p_eval
    print(json.dumps([evaluated - before, "".join(parts)]), flush=True)
    before = evaluated
# Where the interpreter ends, the package frees what it has lost already.
os._exit(0)
