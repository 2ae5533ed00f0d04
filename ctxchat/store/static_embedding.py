"""Texts to vectors by a table: the mean of their words' rows, without running a model."""

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctxchat.domain.errors import ModelError
from ctxchat.store.safetensors import read_arrays

SHIPPED = Path(__file__).with_name("embedding")
"""The table that comes with the package, in the format of Model2Vec."""

TEXTS_AT_ONCE, TOKENS_AT_ONCE = 256, 4096
"""Bounds of what is held in memory beside the table, however many and long the texts are."""


class StaticEmbedder:
    """An Embedder over a table in Model2Vec's format.

    `model.safetensors` has a row for each token of `tokenizer.json` (`embeddings`, int8, [tokens,
    dimensions]) and a factor for each row (`weights`, [tokens]): its scale times how much the token
    says. A token without weight is not known. Raises ModelError where a file is missing or damaged.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        path = folder / "model.safetensors"
        arrays = read_arrays(path)
        self._tokenizer, tokens = _tokenizer(folder / "tokenizer.json")
        table, weights = arrays.get("embeddings"), arrays.get("weights")
        if table is None or weights is None or table.ndim != 2 or weights.shape != (len(table),):
            raise ModelError(f"{path} holds no table of embeddings with weights: reinstall ctxchat")
        if len(table) != tokens:
            raise ModelError(f"{path} and its tokenizer.json do not belong together: reinstall ctxchat")
        self._table: NDArray[Any] = table
        self._weights = weights.astype(np.float32)
        if not np.isfinite(self._weights).all():
            raise ModelError(f"{path} weighs words by what are no numbers: reinstall ctxchat")
        self._no_text = np.zeros(table.shape[1], np.float32)

    @cached_property
    def space(self) -> str:
        """Of what the table holds: another table, even of the same size, is another space."""
        digest = blake2b(self._table.data, digest_size=6)
        digest.update(self._weights.data)
        return f"static-{self._table.shape[1]}-{digest.hexdigest()}"

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        return [self._vector(ids).astype("<f2").tobytes() for ids in self._ids(texts)]

    def _ids(self, texts: Iterable[str]) -> Iterable[list[int]]:
        rest = iter(texts)
        while some := [text.encode("utf-8", "replace").decode() for text in islice(rest, TEXTS_AT_ONCE)]:
            for encoding in self._tokenizer.encode_batch_fast(some, add_special_tokens=False):
                yield encoding.ids

    def _vector(self, ids: list[int]) -> NDArray[np.float32]:
        total = self._no_text
        for begin in range(0, len(ids), TOKENS_AT_ONCE):
            some = ids[begin : begin + TOKENS_AT_ONCE]
            total = total + self._weights[some] @ self._table[some].astype(np.float32)
        length = np.sqrt(total @ total)
        return total / length if length else total


def _tokenizer(path: Path) -> tuple[Any, int]:
    """The tokenizer, and how many tokens it knows."""
    # Rust's threads would be one pool more beside the model's, and warn when the process forks.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(path.read_text("utf-8"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error}): reinstall ctxchat") from error
    except Exception as error:  # the library raises nothing more exact
        raise ModelError(f"{path} is cut short or damaged: reinstall ctxchat") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer, tokenizer.get_vocab_size()
