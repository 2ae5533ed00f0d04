"""The libraries `ctxchat ask` imports, the model's load and an equal context; nothing else.

With the word `bindings` llama_cpp is imported as ctxchat does it, without its package.
Reports the CPU seconds of the process so far.
"""

import sqlite3
import sys
import time
import tomllib

import platformdirs
import typer
from jinja2 import sandbox

from smol import context, load, report

assert all((sqlite3, tomllib, platformdirs, typer, sandbox))
if "bindings" not in sys.argv:
    import llama_cpp

    assert llama_cpp
ctx = context(load(), cells=256)
report(cpu=time.process_time())
