"""Mutated headers of several shapes: a model or one clear line, never anything else.

The long form, 10,000 of them under limits of memory and time, is `benchmarks/show/header_fuzz.py`.
"""

import random
from pathlib import Path

import pytest

from ctxchat.domain.errors import ModelError
from ctxchat.engine.gguf.library import ModelLibrary
from tests.support.mutations import mutated, shapes

MUTATIONS = 300


@pytest.mark.usefixtures("home")
def test_three_hundred_mutated_headers_are_described_or_refused_in_one_line(tmp_path: Path) -> None:
    chance = random.Random(7)
    whole = shapes(tmp_path)
    path = tmp_path / "mutated-00001-of-00002.gguf"
    path.with_name("mutated-00002-of-00002.gguf").write_bytes(whole["dense"])
    library = ModelLibrary([], None)
    refused = 0
    for number in range(MUTATIONS):
        raw = whole[list(whole)[number % len(whole)]]
        path.write_bytes(mutated(raw, chance, len(raw)))
        said = refusal_of(library, path)
        refused += said is not None
        assert said is None or (said.count("\n") == 0 and str(path.parent) in said and len(said) < 1000)
    assert refused > MUTATIONS / 2


def refusal_of(library: ModelLibrary, path: Path) -> str | None:
    try:
        library.info(str(path))
    except ModelError as error:
        return str(error)
    return None
