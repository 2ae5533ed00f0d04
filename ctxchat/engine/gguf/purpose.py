"""What a GGUF file is for, where it is not for chatting."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ctxchat.domain.errors import ModelError

if TYPE_CHECKING:
    from ctxchat.engine.gguf.header import GgufHeader

PROJECTOR = "mmproj"
COMPANIONS = {
    "adapter": "a LoRA adapter",
    PROJECTOR: "an image projector (mmproj)",
    "imatrix": "an importance matrix",
}
"""Kinds of files that only serve a language model."""

_OTHERS = {
    **dict.fromkeys(("t5", "t5encoder"), "an encoder-decoder or an encoder"),
    **dict.fromkeys(("eagle3", "dflash"), "a draft model for speculation"),
    **dict.fromkeys(("dream", "llada", "llada-moe", "rnd1"), "a diffusion model"),
    "wavtokenizer-dec": "an audio decoder",
}
"""Architectures that answer no chat, as llama.cpp runs them."""

EMBEDDER = "an embedding model"

CHOOSE = "choose another with `ctxchat models list`"


def refuse_companion(path: Path, metadata: Mapping[str, object]) -> None:
    """Raises ModelError where the file is no language model but belongs to one; reads nothing else."""
    kind = PROJECTOR if metadata.get("general.architecture") == "clip" else str(metadata.get("general.type"))
    if kind in COMPANIONS:
        raise ModelError(f"{path} is {COMPANIONS[kind]}, which cannot chat; {_instead(path)}")


def other_purpose(header: "GgufHeader") -> str | None:
    """What a model is that does not chat, None for one that does."""
    architecture = header.architecture
    if architecture in _OTHERS:
        return _OTHERS[architecture]
    causal = header.metadata.get(f"{architecture}.attention.causal")
    if causal is False or header.metadata.get(f"{architecture}.pooling_type", 0) != 0:
        return EMBEDDER
    return None


def refuse_other_purpose(header: "GgufHeader") -> None:
    """Raises ModelError for a model that does not chat."""
    purpose = other_purpose(header)
    if purpose is None:
        return
    way_out = CHOOSE
    if purpose == EMBEDDER:
        way_out += "; as notes.embedder in the settings it embeds notes"
    raise ModelError(f"{header.path} is {purpose} ({header.architecture}) and cannot chat: {way_out}")


def _instead(path: Path) -> str:
    """The file that is probably meant: the largest beside it."""
    try:
        sizes = {other.name: other.stat().st_size for other in path.parent.glob("*.gguf") if other != path}
    except OSError:
        sizes = {}
    named = f", like {max(sizes, key=sizes.__getitem__)} beside it" if sizes else ""
    return f"name the language model itself{named}"
