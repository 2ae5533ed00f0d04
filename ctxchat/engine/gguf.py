"""What a GGUF file says of itself in its header, read without touching the weights."""

import mmap
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from math import prod
from pathlib import Path

from ctxchat.domain.errors import ModelError
from ctxchat.engine.gguf_checks import check_kind, check_shape
from ctxchat.engine.gguf_part import Part, TensorInfo, read_part
from ctxchat.engine.gguf_types import QUANTIZATIONS

SAMPLED_PAGES = 64
PAGE = 4096
_SPLIT = re.compile(r"(.+)-(\d{5})-of-(\d{5})")


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


def read_header(path: Path) -> GgufHeader:
    """Read the header of a GGUF file, or of the first of several. Raises ModelError where a file
    is missing, unreadable, no GGUF, cut short, damaged, or would bring llama.cpp down."""
    first = read_part(path)
    check_kind(path, first.metadata)
    parts = (first, *(read_part(other) for other in _other_parts(path, first.metadata)))
    tensors = tuple(tensor for part in parts for tensor in part.tensors)
    header = GgufHeader(path, first.metadata, tensors, parts)
    check_shape(header)
    return header


def model_name(path: Path) -> str:
    """A file's name as people say it: without `.gguf`, and without the number of a part."""
    stem = path.name.removesuffix(".gguf")
    split = _SPLIT.fullmatch(stem)
    return split[1] if split else stem


def is_later_part(path: Path) -> bool:
    """Whether a file is the second or a later one of a model in several files."""
    split = _SPLIT.fullmatch(path.name.removesuffix(".gguf"))
    return split is not None and int(split[2]) > 1


def _other_parts(path: Path, metadata: Mapping[str, object]) -> list[Path]:
    count = metadata.get("split.count")
    if not isinstance(count, int) or count < 2:
        return []
    split = _SPLIT.fullmatch(path.name.removesuffix(".gguf"))
    if split is None or int(split[3]) != count:
        name = f"…-00001-of-{count:05}.gguf"
        raise ModelError(f"{path} is one of {count} files of a model and must keep its name, {name}")
    names = [path.with_name(f"{split[1]}-{number:05}-of-{count:05}.gguf") for number in range(1, count + 1)]
    if int(split[2]) != 1:
        raise ModelError(f"{path} is part {int(split[2])} of {count}; name the first, {names[0].name}")
    missing = [name.name for name in names if not name.is_file()]
    if missing:
        raise ModelError(f"{path} is one of {count} files, and {', '.join(missing)} is missing beside it")
    return names[1:]
