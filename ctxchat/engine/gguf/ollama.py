"""What Ollama keeps: manifests by name, and blobs by checksum."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

MODEL_LAYER = "application/vnd.ollama.image.model"
_REGISTRY, _LIBRARY = "registry.ollama.ai", "library"


def ollama_models(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names as `ollama run` takes them, with the file of each; where a manifest cannot be read that is
    the file, and a blob may be missing. What only runs elsewhere has no file and no place here."""
    for manifest in _manifests(folder / "manifests"):
        name = _name(manifest.relative_to(folder / "manifests"))
        try:
            layers = json.loads(manifest.read_bytes())["layers"]
            digests = [layer["digest"] for layer in layers if layer["mediaType"] == MODEL_LAYER]
            blobs = [folder / "blobs" / _blob_name(digest) for digest in digests]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            blobs = [manifest]
        if blobs:
            yield name, blobs[0]


def _manifests(folder: Path) -> list[Path]:
    """Files at REGISTRY/NAMESPACE/MODEL/TAG."""
    files = [Path(parent, name) for parent, _, names in os.walk(folder) for name in names]
    return [path for path in sorted(files) if len(path.relative_to(folder).parts) == 4]


def _name(place: Path) -> str:
    """`llama3.2:3b`, with its namespace and its registry where they are not Ollama's own."""
    registry, namespace, model, tag = place.parts
    named = [model] if (registry, namespace) == (_REGISTRY, _LIBRARY) else [namespace, model]
    return "/".join(named if registry == _REGISTRY else [registry, *named]) + f":{tag}"


def _blob_name(digest: str) -> str:
    """Raises ValueError for what would lead out of the folder of blobs."""
    kind, _, value = digest.partition(":")
    if not (kind.isalnum() and value.isalnum()):
        raise ValueError(digest)
    return f"{kind}-{value}"
