"""Prompt files: every text the program itself sends, as strict `string.Template` files.

Ours lie in `prompts/`; a file of the same name in the person's own folder takes its place.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from string import Template

from ctxchat.domain.errors import UsageError

SUFFIX = ".md"


def shipped_folder() -> Path:
    """Where our own prompt files are: inside the package when installed, else in the checkout."""
    package = Path(__file__).parents[1]
    installed = package / "prompts"
    return installed if installed.is_dir() else package.parent / "prompts"


def text(name: str, own: Path, **values: str) -> str:
    """A prompt of the program, with its placeholders filled; `own` is the person's folder."""
    path = own / f"{name}{SUFFIX}"
    if not path.is_file():
        path = shipped_folder() / f"{name}{SUFFIX}"
    return _fill(path, values)


def around(name: str, own: Path, placeholder: str) -> tuple[str, str]:
    """What a prompt says before and after its one placeholder."""
    mark = "\0"
    before, _, after = text(name, own, **{placeholder: mark}).partition(mark)
    return before, after


def render(name: str, values: Mapping[str, str], folder: Path) -> str:
    """A question made from the person's own prompt file and the values for its placeholders.

    `values["question"]` follows the text where the file has no `$question`.
    """
    path = folder / f"{name}{SUFFIX}"
    if not path.is_file():
        raise UsageError(_missing(name, folder))
    names = _placeholders(path)
    unused = sorted(set(values) - set(names) - {"question"})
    if unused:
        raise UsageError(f"{path} has no placeholder ${unused[0]}; it has: {_listed(names)}")
    rendered = _fill(path, values)
    question = values.get("question", "")
    if "question" in names or not question:
        return rendered
    return f"{rendered}\n\n{question}"


def _fill(path: Path, values: Mapping[str, str]) -> str:
    try:
        return Template(_read(path)).substitute(values)
    except KeyError as missing:
        raise UsageError(
            f"{path} needs a value for ${missing.args[0]}: give it with -p {missing.args[0]} VALUE"
        ) from None
    except ValueError as invalid:
        raise UsageError(f"{path}: {invalid}; write $$ for a dollar sign") from None


def _placeholders(path: Path) -> list[str]:
    return Template(_read(path)).get_identifiers()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the prompt file {path} cannot be read: {error}") from None


def _missing(name: str, folder: Path) -> str:
    known = sorted(p.stem for p in folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    nearest = get_close_matches(name, known, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else f"; write it as {folder / (name + SUFFIX)}"
    return f"there is no prompt file named {name!r}{hint}"


def _listed(names: list[str]) -> str:
    return ", ".join(f"${n}" for n in names) or "none"
