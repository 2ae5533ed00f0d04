"""The `llm` program's SmolLM2 plugin, through its own interface."""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import sys

import llm

from smol import SYSTEM, reported

question, tokens = sys.argv[1], int(sys.argv[2])
stream = iter(llm.get_model("SmolLM2").prompt(question, system=SYSTEM, stream=True))
next(stream)
with reported() as decoded:
    for _ in stream:
        decoded.append(1)
        if len(decoded) == tokens:
            break
