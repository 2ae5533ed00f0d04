"""What a GGUF file says of itself."""

import mmap
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from math import prod
from pathlib import Path

from ctxchat.engine.gguf.file_names import model_name
from ctxchat.engine.gguf.part import Part, TensorInfo
from ctxchat.engine.gguf.types import QUANTIZATIONS

SAMPLED_PAGES = 64
PAGE = 4096


@dataclass(frozen=True, eq=False)
class GgufHeader:
    """A model file by its header: metadata, and where each tensor lies.

    Arrays of texts and long arrays of numbers stay in the file; they have a length, an order and
    an index. A model in several files is one header: `parts` are its files, `tensors` those of
    all of them, `metadata` that of the first. `bytes` counts all files.
    """

    path: Path
    metadata: Mapping[str, object]
    tensors: tuple[TensorInfo, ...]
    parts: tuple[Part, ...] = field(repr=False)

    @property
    def architecture(self) -> str:
        return str(self.metadata["general.architecture"])

    @property
    def name(self) -> str:
        return self.text("general.name") or model_name(self.path)

    @property
    def window(self) -> int | None:
        """Tokens it was trained to read at once."""
        return self.count("context_length")

    @property
    def layers(self) -> int:
        return self.count("block_count") or 0

    @property
    def bytes(self) -> int:
        return sum(len(part.source) for part in self.parts)

    @cached_property
    def parameters(self) -> int:
        return sum(prod(tensor.dims) for tensor in self.tensors)

    @cached_property
    def quantization(self) -> str:
        """As the file names it, else the type that most bytes are stored in."""
        declared = self.metadata.get("general.file_type")
        if isinstance(declared, int) and declared in QUANTIZATIONS:
            return QUANTIZATIONS[declared]
        sizes: Counter[str] = Counter()
        for tensor in self.tensors:
            sizes[tensor.type] += tensor.bytes
        return sizes.most_common(1)[0][0] if sizes else "none"

    def text(self, key: str) -> str | None:
        value = self.metadata.get(key)
        return value if isinstance(value, str) else None

    def count(self, key: str) -> int | None:
        """A whole number of the architecture's own metadata, None where there is none."""
        value = self.metadata.get(f"{self.architecture}.{key}")
        return value if isinstance(value, int) else None

    def fingerprint(self) -> str:
        """Names the contents: the headers, the size, and 64 pages of the tensors."""
        digest = blake2b(digest_size=16)
        for part in self.parts:
            digest.update(len(part.source).to_bytes(8, "little"))
            digest.update(part.source[: part.tensors_begin])
            pages = max(SAMPLED_PAGES // len(self.parts), 1)
            span = max(len(part.source) - part.tensors_begin - PAGE, 0)
            for page in range(pages):
                at = part.tensors_begin + span * page // max(pages - 1, 1)
                digest.update(part.source[at : at + PAGE])
        return digest.hexdigest()

    def vocabulary_fingerprint(self) -> str:
        """Names the vocabulary: equal for files that tokenize alike."""
        digest = blake2b(digest_size=16)
        first = self.parts[0]
        for key in sorted(first.spans):
            if key.startswith("tokenizer.ggml."):
                begin, end = first.spans[key]
                digest.update(first.source[begin:end])
        return digest.hexdigest()

    def let_pages_go(self) -> None:
        """Give the memory of what was read back; it is read again where it is needed."""
        for part in self.parts:
            part.source.madvise(mmap.MADV_DONTNEED)
