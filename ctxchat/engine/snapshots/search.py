"""Which files hold what a row of tokens begins with."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctxchat.engine.prefix import common_prefix
from ctxchat.engine.snapshots.container import Ids, RefusedError, Run, read_run
from ctxchat.engine.snapshots.fingerprint import Fingerprint
from ctxchat.engine.snapshots.names import FileName, Kind, file_name, read_name, runs

Children = Mapping[str, Sequence[FileName]]


@dataclass(frozen=True, slots=True)
class Found:
    """A file of which the first `cells` are those of the tokens looked for."""

    path: Path
    run: Run
    cells: int
    kind: Kind

    @property
    def end(self) -> int:
        return self.run.begin + self.cells


@dataclass(frozen=True, slots=True)
class Prefix:
    """Files in the order of their tokens, and those whose heads cannot be read, with the reason."""

    files: tuple[Found, ...] = ()
    refused: tuple[tuple[Path, str], ...] = ()

    @property
    def end(self) -> int:
        """How many tokens of the row the files hold."""
        return self.files[-1].end if self.files else 0


def longest_prefix(folder: Path, fingerprint: Fingerprint, ids: Ids) -> Prefix:
    """The files that hold most of what `ids` begin with; names and heads are looked at, cells are not.

    Behind the last whole block any file may help that begins there as `ids` do: its end is cut off.
    """
    children, root = _children(folder), fingerprint.digest
    blocks = _blocks(folder, root, ids, children)
    parent = blocks[-1].path.stem.partition("-")[2] if blocks else root
    begin = blocks[-1].end if blocks else 0
    parts, refused = _parts(folder, children.get(parent, ()), fingerprint, begin, ids)
    behind = max(parts, key=lambda part: part.cells, default=None)
    split = Prefix((*blocks, behind) if behind else tuple(blocks), tuple(refused))
    wholes = [part for part in parts if part.kind is Kind.WHOLE] if not blocks else []
    whole = max(wholes, key=lambda part: part.end, default=None)
    return Prefix((whole,), tuple(refused)) if whole and whole.end >= split.end else split


def _children(folder: Path) -> Children:
    found: defaultdict[str, list[FileName]] = defaultdict(list)
    for path in folder.iterdir() if folder.is_dir() else ():
        if name := read_name(path):
            found[name.parent].append(name)
    return found


def _blocks(folder: Path, root: str, ids: Ids, children: Children) -> list[Found]:
    blocks: list[Found] = []
    for name, run in runs(root, ids, whole=False):
        if name.kind is not Kind.BLOCK or name not in children.get(run.parent, ()):
            break
        blocks.append(Found(folder / str(name), run, len(run.ids), Kind.BLOCK))
    return blocks


def _parts(
    folder: Path, names: Sequence[FileName], fingerprint: Fingerprint, begin: int, ids: Ids
) -> tuple[list[Found], list[tuple[Path, str]]]:
    parts: list[Found] = []
    refused: list[tuple[Path, str]] = []
    for name in names:
        path = folder / str(name)
        try:
            run = _checked_run(path, name, fingerprint, begin)
        except RefusedError as error:
            if path.exists():
                refused.append((path, str(error)))
            continue
        common = common_prefix(run.ids, ids[begin : begin + len(run.ids)])
        # A cache without parts is of use as it is, or not at all; and one token is always left to read.
        fits = common == len(run.ids) < len(ids) if name.kind is Kind.WHOLE else common > 0
        if fits:
            parts.append(Found(path, run, common, name.kind))
    return parts, refused


def _checked_run(path: Path, name: FileName, fingerprint: Fingerprint, begin: int) -> Run:
    """The tokens of a file, which are those it is called by. Raises RefusedError."""
    run = read_run(path, fingerprint)
    if file_name(run, name.kind) != name or run.begin != begin:
        raise RefusedError("it is damaged at its beginning")
    return run
