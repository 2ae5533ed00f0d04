"""What it takes to keep cells on disk and to bring them back, measured by doing it."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import EngineError, StoreError
from ctxchat.engine.llama.cells import CHAT, Cells
from ctxchat.engine.llama.kept_cells import KeptCells, put
from ctxchat.engine.llama.loaded import LoadedModel
from ctxchat.engine.llama.sequences import LlamaSequences
from ctxchat.engine.llama.trial import InterruptedTrialError, Trial
from ctxchat.engine.snapshots.container import RefusedError
from ctxchat.engine.snapshots.folder import SnapshotFolder
from ctxchat.locations import private_folder

SHARE_OF_FREE_DISK = 0.5
"""More of it is not filled, not even for a moment."""

NOT_KEPT = (None, None)


def saved_and_restored(
    measured: Trial, loaded: LoadedModel, stop: Cancel
) -> tuple[float, float] | tuple[None, None]:
    """Seconds to write the cells of a trial to the disk that holds snapshots, and to verify them and put
    them back; none where they are not kept, or the disk has no room. Nothing of them stays. Raises
    InterruptedTrialError."""
    kept, ids = loaded.cache.kept, measured.ids
    if kept is None:
        return NOT_KEPT
    cells = Cells(trims=loaded.cache.trims)
    cells.add(CHAT, ids)
    try:
        with _folder_beside(kept.folder.path, len(ids) * loaded.cache.bytes_per_token) as folder:
            if folder is None:
                return NOT_KEPT
            own = replace(kept, folder=folder)
            began = time.monotonic()
            own.save(measured.context, cells, "trial", ids, stop)
            save = time.monotonic() - began
            if stop.requested:
                raise InterruptedTrialError
            restore = _restored(own, measured, cells)
    except (OSError, StoreError):
        return NOT_KEPT
    loaded.costs.saw_restored(len(ids), restore)
    return save, restore


def _restored(kept: KeptCells, measured: Trial, cells: Cells) -> float:
    """Seconds to put cells back that were saved."""
    context, ids = measured.context, cells.ids(CHAT)
    sequences = LlamaSequences(cells, lambda: context)
    fingerprint = kept.fingerprint(context.capacity)
    sequences.trim(CHAT, 0)
    began = time.monotonic()
    try:
        for found in kept.folder.longest(fingerprint, (*ids, 0)).files:
            put(context, sequences, found, kept.folder.read(fingerprint, found))
    except RefusedError as error:
        raise EngineError(f"cells that were kept a moment ago do not come back: {error}") from error
    if cells.count(CHAT) != len(ids):
        raise EngineError("cells that were kept a moment ago do not come back")
    return time.monotonic() - began


@contextmanager
def _folder_beside(path: Path, size: int) -> Iterator[SnapshotFolder | None]:
    """A folder for so many bytes on the same disk, removed afterwards; None where there is no room."""
    parent = private_folder(path.parent)
    room = int(shutil.disk_usage(parent).free * SHARE_OF_FREE_DISK)
    if size > room:
        yield None
        return
    with TemporaryDirectory(prefix="bench-", dir=parent) as folder:
        yield SnapshotFolder(Path(folder), room)
