"""What files of models are called, one file or several."""

import re
from collections.abc import Mapping
from pathlib import Path

from ctxchat.domain.errors import ModelError

_SPLIT = re.compile(r"(.+)-(\d{5})-of-(\d{5})")


def model_name(path: Path) -> str:
    """A file's name as people say it: without `.gguf`, and without the number of a part."""
    stem = path.name.removesuffix(".gguf")
    split = _SPLIT.fullmatch(stem)
    return split[1] if split else stem


def is_later_part(path: Path) -> bool:
    """Whether a file is the second or a later one of a model in several files."""
    split = _SPLIT.fullmatch(path.name.removesuffix(".gguf"))
    return split is not None and int(split[2]) > 1


def other_parts(path: Path, metadata: Mapping[str, object]) -> list[Path]:
    """The files that hold the rest of a model, none where it has one. Raises ModelError where `path`
    is not the first of them, or one is missing."""
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
