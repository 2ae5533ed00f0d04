"""How files of snapshots are called: by what stands before them and by what they hold.

    PARENT-NAME.block   256 cells behind those of PARENT
    PARENT-NAME.tail    fewer, where the cells ended
    PARENT-NAME.whole   all cells of a model whose cache has no parts

A name is a hash of the parent's name and the ids, so it stands for all ids up to the end; the parent of
the first is the fingerprint. That a name holds its parent lets every question but the cells themselves
be answered by listing a folder.
"""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from ctxchat.engine.snapshots.container import Ids, Run, ids_bytes
from ctxchat.engine.snapshots.fingerprint import short_hash

BLOCK_CELLS = 256


class Kind(StrEnum):
    BLOCK = "block"
    TAIL = "tail"
    WHOLE = "whole"


class FileName(NamedTuple):
    """The parts of a file's name."""

    parent: str
    name: str
    kind: Kind

    def __str__(self) -> str:
        return f"{self.parent}-{self.name}.{self.kind}"


def file_name(run: Run, kind: Kind) -> FileName:
    return FileName(run.parent, short_hash(run.parent.encode() + ids_bytes(run.ids)), kind)


def read_name(path: Path) -> FileName | None:
    """The parts of a name; None for a file that is no snapshot."""
    parent, _, name = path.stem.partition("-")
    try:
        return FileName(parent, name, Kind(path.suffix[1:])) if name else None
    except ValueError:
        return None


def runs(root: str, ids: Ids, *, whole: bool) -> Iterator[tuple[FileName, Run]]:
    """What the cells of `ids` are kept as: whole blocks and a tail, or all of them in one file."""
    if whole:
        run = Run(root, 0, ids)
        yield file_name(run, Kind.WHOLE), run
        return
    parent = root
    for begin in range(0, len(ids), BLOCK_CELLS):
        run = Run(parent, begin, ids[begin : begin + BLOCK_CELLS])
        name = file_name(run, Kind.BLOCK if len(run.ids) == BLOCK_CELLS else Kind.TAIL)
        parent = name.name
        yield name, run
