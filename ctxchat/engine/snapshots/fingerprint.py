"""What cells depend on beside their tokens."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import blake2b

from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.libraries import llama_libraries

LABELS = {
    "model": "another model",
    "type_k": "another type of keys",
    "type_v": "another type of values",
    "flash_attention": "another setting of flash attention",
    "rope": "another scaling of positions",
    "template": "another chat template",
    "build": "another build of llama.cpp",
}
"""What it means where a part of two fingerprints differs."""

LONG_FACTORS = "rope_factors_long.weight"


@dataclass(frozen=True)
class Fingerprint:
    """Cells computed under equal fingerprints from equal tokens are equal."""

    model: str
    type_k: str
    type_v: str
    flash_attention: str
    rope: str
    template: str
    build: str

    @cached_property
    def digest(self) -> str:
        """Names it in 32 hexadecimal digits."""
        return short_hash(json.dumps(asdict(self), sort_keys=True).encode())

    def difference(self, other: Mapping[str, object]) -> str | None:
        """What sets another one apart, given by its fields; None where they are equal."""
        mine = asdict(self)
        differing = [label for field, label in LABELS.items() if mine[field] != other.get(field)]
        return " and ".join(differing) or None


def fingerprint_of(
    header: GgufHeader, *, type_k: str, type_v: str, flash_attention: bool, long: bool
) -> Fingerprint:
    """The fingerprint of a model file run in one way; `long` as `is_long` says."""
    return Fingerprint(
        model=header.fingerprint(),
        type_k=type_k,
        type_v=type_v,
        flash_attention="on" if flash_attention else "off",
        rope="for long contexts" if long else "as trained",
        template=short_hash((header.text("tokenizer.chat_template") or "").encode("utf-8", "replace")),
        build=short_hash(llama_libraries().encode()),
    )


def short_hash(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()


def is_long(header: GgufHeader, capacity: int) -> bool:
    """Whether llama.cpp takes the other factors for positions, which some models have for more cells than
    they were first trained for: every key is another then."""
    if not any(tensor.name == LONG_FACTORS for tensor in header.tensors):
        return False
    original = header.count("rope.scaling.original_context_length") or header.window
    return original is not None and capacity > original
