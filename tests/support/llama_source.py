"""Chat templates and vocabularies of the llama-cpp-python source distribution, read in place.

The environment variable CTXCHAT_LLAMA_SOURCE names the folder that holds `vendor/llama.cpp`.
"""

import os
from pathlib import Path

SOURCE = os.environ.get("CTXCHAT_LLAMA_SOURCE")
MODELS = Path(SOURCE) / "vendor/llama.cpp/models" if SOURCE else None
ABSENT = "CTXCHAT_LLAMA_SOURCE does not name the source of llama-cpp-python"


def templates() -> list[Path]:
    """Every chat template there is, none where the source is absent."""
    return sorted((MODELS / "templates").glob("*.jinja")) if MODELS else []


def vocabularies() -> list[Path]:
    """Every GGUF that holds a vocabulary and no tensors."""
    return sorted(MODELS.glob("ggml-vocab-*.gguf")) if MODELS else []
