"""Greedy decoding over the low-level bindings, with nothing around it."""

import sys
from itertools import islice

from smol import PROMPT, context, evaluate, greedy, load, report, tokenize

question, tokens = sys.argv[1], int(sys.argv[2])
model = load()
ids = tokenize(model, PROMPT.format(question=question))
cells = 1 << (len(ids) + tokens - 1).bit_length()
ctx = context(model, cells=max(256, cells))
evaluate(ctx, ids)
with report() as decoded:
    for _ in islice(greedy(ctx), tokens):
        decoded.append(1)
