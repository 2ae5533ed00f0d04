"""Greedy decoding over the low-level functions, with nothing around it.

A third argument, `package`, imports llama_cpp as its users do; without it only the bindings.
"""

import sys
from itertools import islice

from smol import PROMPT, context, evaluate, greedy, load, reported, tokenize

question, tokens = sys.argv[1], int(sys.argv[2])
model = load(whole_package="package" in sys.argv[3:])
ids = tokenize(model, PROMPT.format(question=question))
cells = 1 << (len(ids) + tokens - 1).bit_length()
ctx = context(model, cells=max(256, cells))
evaluate(ctx, ids)
with reported() as decoded:
    for _ in islice(greedy(ctx), tokens):
        decoded.append(1)
