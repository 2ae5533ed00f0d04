"""llama-cpp-python's `Llama`, streaming a chat completion, with its own defaults but the thread."""

import sys

from llama_cpp import Llama

from smol import SYSTEM, path, reported

question, tokens = sys.argv[1], int(sys.argv[2])
llama = Llama(str(path()), n_ctx=512, n_threads=1, n_threads_batch=1, verbose=False)
messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
stream = iter(llama.create_chat_completion(messages, stream=True, max_tokens=tokens + 1, temperature=0.0))
next(stream)
next(stream)
with reported() as decoded:
    for chunk in stream:
        if chunk["choices"][0]["delta"].get("content"):
            decoded.append(1)
