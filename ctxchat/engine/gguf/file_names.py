"""What files of models are called, one file or several."""

import re
from collections.abc import Mapping
from pathlib import Path, PurePath

from ctxchat.domain.errors import ModelError

_SPLIT = re.compile(r"(.+)-(\d{5})-of-(\d{5})")
MAX_PARTS = 1024
_QUANTIZATION = re.compile(
    r"(?:^|[-._])((?:UD-)?(?:I?Q\d(?:_[A-Z0-9]+)*|TQ\d_\d|B?F16|F32|(?:MX|NV)FP4(?:_[A-Z]+)?))(?=$|[-.])",
    re.IGNORECASE,
)


def model_name(path: PurePath) -> str:
    """A file's name as people say it: without `.gguf`, and without the number of a part."""
    stem = path.name.removesuffix(".gguf")
    split = _SPLIT.fullmatch(stem)
    return split[1] if split else stem


def quantization_named(path: PurePath) -> str | None:
    """The quantization that the name of a file tells, the last where it tells two."""
    told = _QUANTIZATION.findall(model_name(path))
    return str(told[-1]).upper() if told else None


def is_later_part(path: PurePath) -> bool:
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
    if count > MAX_PARTS:
        raise ModelError(f"{path} is damaged: it claims to be one of {count:,} files; download it again")
    names = named_parts(path)
    if int(split[2]) != 1:
        raise ModelError(f"{path} is part {int(split[2])} of {count}; name the first, {names[0].name}")
    missing = [name.name for name in names if not name.is_file()]
    if missing:
        more = f" and {len(missing) - 3:,} more" if len(missing) > 3 else ""
        raise ModelError(
            f"{path} is one of {count} files, and {', '.join(missing[:3])}{more} is missing beside it"
        )
    return names[1:]


def part_count(path: PurePath) -> int:
    """In how many files a model lies, as the name of one tells."""
    split = _SPLIT.fullmatch(path.name.removesuffix(".gguf"))
    return int(split[3]) if split else 1


def named_parts(path: Path) -> list[Path]:
    """The files of a model, all of them, as the name of one tells."""
    split = _SPLIT.fullmatch(path.name.removesuffix(".gguf"))
    if split is None or int(split[3]) > MAX_PARTS:
        return [path]
    return [
        path.with_name(f"{split[1]}-{number:05}-of-{split[3]}.gguf") for number in range(1, int(split[3]) + 1)
    ]
