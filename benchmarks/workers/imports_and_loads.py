"""The imports of `ctxchat ask`, the model's load and an equal context; nothing else."""

import importlib
import sqlite3
import sys
import tomllib

import platformdirs
import typer
from jinja2 import sandbox

from ctxchat.engine.bindings import library
from smol import context, load

assert all((importlib, sqlite3, tomllib, platformdirs, typer, sandbox, library()))
model = load()
ctx = context(model, cells=256)
print("loaded", flush=True)
sys.stdin.read()
