"""What works here, what does not, and how to mend it.

Each check stands alone: one that fails, or breaks, does not stop the others.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ctxchat import __version__, locations
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.errors import CtxChatError
from ctxchat.domain.measurement import Calibration
from ctxchat.domain.model import ModelFile, TemplateBehaviour, UnusedGpu
from ctxchat.domain.passage import Collection
from ctxchat.service.doctor_servers import connections, server_checks
from ctxchat.service.servers import Servers
from ctxchat.settings.schema import Settings
from ctxchat.settings.server import meant

_LEAST_PYTHON = (3, 11)
_LEAST_FREE_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw. `mend` says what to do, None where nothing is to be done; `matters`
    says that nothing can be asked, or kept, until it is done."""

    check: str
    ok: bool
    seen: str
    mend: str | None = None
    matters: bool = True


@dataclass(frozen=True, slots=True)
class Probes:
    """What is asked of the layers below. Each may raise CtxChatError with what is wrong.

    engine: the version of llama-cpp-python
    gpu: the devices its build can use, none on a CPU alone
    unused_gpu: a GPU of this machine that its build has no support for
    model: the path of the model that would be used
    header: a model's file as a list shows it
    template: what its chat template does to earlier turns
    threads: threads that decode, and that prefill
    conversations: how many are recorded, after a check of the store; None where there is no store
    notes_server: what goes to the server that holds the notes, and how it answers; None where there is none
    snapshots: bytes that KV snapshots take, and may take
    notes: the collections, and the names of those whose index is not what the store says
    servers: those of the settings
    calibrate: what work costs with that model, measured now
    """

    engine: Callable[[], str]
    gpu: Callable[[], list[str]]
    unused_gpu: Callable[[], UnusedGpu | None]
    model: Callable[[], Path]
    header: Callable[[Path], ModelFile]
    template: Callable[[Path], TemplateBehaviour]
    threads: Callable[[], tuple[int, int]]
    conversations: Callable[[], int | None]
    notes: Callable[[], tuple[list[Collection], list[str]]]
    snapshots: Callable[[], tuple[int, int]]
    calibrate: Callable[[], tuple[Calibration, CostCurve | None]]
    servers: Callable[[], Servers]
    notes_server: Callable[[], str] | None = None


def examine(
    load: Callable[[], Settings], probes: Callable[[Settings], Probes], *, calibrate: bool = False
) -> Iterator[Finding]:
    """Every check, in order, and with `calibrate` what work costs. Where the settings cannot be read,
    the rest looks at the defaults."""
    yield _python()
    yield Finding("ctxchat", ok=True, seen=__version__)
    settings = Settings()

    def read() -> str:
        nonlocal settings
        settings = load()
        changed = sum(origin != "default" for origin in settings.origins.values())
        return f"{changed} changed from their defaults"

    yield _attempt("settings", read, "ctxchat config edit")
    probe = probes(settings)
    yield from _engine(probe)
    yield from _model(probe) if (server := meant(settings)) is None else _server(probe, server)
    yield Finding("connections", ok=True, seen=connections(settings))
    if calibrate:
        mend = "wait until the machine is less busy, or take a smaller model"
        yield _attempt("cost", lambda: _cost(*probe.calibrate()), mend, matters=False)
    yield from _record(probe)


def _attempt(check: str, look: Callable[[], str], mend: str, *, matters: bool = True) -> Finding:
    """A check that is fine when it does not raise."""
    try:
        return Finding(check, ok=True, seen=look(), matters=matters)
    except CtxChatError as error:
        return Finding(check, ok=False, seen=str(error), mend=mend, matters=matters)
    except Exception as error:
        return Finding(check, ok=False, seen=f"{type(error).__name__}: {error}", mend=mend, matters=matters)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= _LEAST_PYTHON
    return Finding("python", ok, version, None if ok else "install Python 3.11 or newer")


def _engine(probe: Probes) -> Iterator[Finding]:
    reinstall = "pip install --force-reinstall --no-cache-dir llama-cpp-python"
    yield _attempt("llama-cpp-python", probe.engine, reinstall)
    yield _gpu(probe, reinstall)

    def threads() -> str:
        decode, prefill = probe.threads()
        return f"{decode} to write an answer, {prefill} to read a prompt"

    yield _attempt("threads", threads, "set model.threads and model.threads_batch")


def _gpu(probe: Probes, reinstall: str) -> Finding:
    unused = None

    def look() -> str:
        nonlocal unused
        if unused := probe.unused_gpu():
            raise CtxChatError(f"{unused.seen}: models run on the CPU")
        return ", ".join(probe.gpu()) or "none: models run on the CPU"

    found = _attempt("gpu", look, reinstall, matters=False)
    return replace(found, mend=unused.mend) if unused else found


def _model(probe: Probes) -> Iterator[Finding]:
    path: Path | None = None

    def find() -> str:
        nonlocal path
        path = probe.model()
        return str(path)

    yield _attempt("model", find, "ctxchat models use PATH")
    another = "take another file: ctxchat models use PATH"
    yield _attempt("model file", lambda: _header(probe.header(_found(path))), another)
    yield _attempt("KV cache", lambda: _kv(probe.header(_found(path))), another, matters=False)
    yield _attempt("chat template", lambda: template_words(probe.template(_found(path))), another)


def _server(probe: Probes, name: str) -> Iterator[Finding]:
    for check, look, mend, matters in server_checks(probe.servers(), name):
        yield _attempt(check, look, mend, matters=matters)


def _found(path: Path | None) -> Path:
    if path is None:
        raise CtxChatError("not looked at: there is no model")
    return path


def _header(file: ModelFile) -> str:
    if file.error:
        raise CtxChatError(file.error)
    parts = [file.architecture, file.quantization, f"{file.bytes:,} bytes"]
    if file.parameters:
        parts.append(f"{file.parameters:,} parameters")
    if file.window:
        parts.append(f"trained for {file.window:,} tokens")
    return ", ".join(part for part in parts if part)


def _kv(file: ModelFile) -> str:
    if file.kv_bytes_per_token is None:
        raise CtxChatError("its size is not known from the file's header")
    size = f"{file.kv_bytes_per_token:,} bytes a token with f16 keys and values"
    return f"{size}; {file.reuse}" if file.reuse else size


def _cost(calibration: Calibration, curve: CostCurve | None) -> str:
    if curve is None:
        raise CtxChatError(f"too little could be measured in {calibration.seconds:.1f} s")
    deep, (reading, decoding) = calibration.depth, calibration.threads
    seen = (
        f"1,000 tokens are read in {curve.prefill(1000):.2f} s, behind {deep:,} others in "
        f"{curve.prefill(1000, deep):.2f} s; {1 / curve.decode(0):.1f} tokens a second are decoded, there "
        f"{1 / curve.decode(deep):.1f}; threads: {reading} to read, {decoding} to decode; "
        f"measured in {calibration.seconds:.1f} s"
    )
    if deep < calibration.window:
        seen += f"; what lies between {deep:,} and {calibration.window:,} cells is extrapolated"
    return seen


def template_words(behaviour: TemplateBehaviour) -> str:
    """What a chat template does, and what is done about it."""
    words = [
        "earlier turns stay as they were, so the cache is reused"
        if behaviour.extends
        else "earlier turns change when a new one comes, so part of the cache is lost",
        f"the system message goes in {behaviour.system.value}"
        if behaviour.takes_system
        else f"it takes no system message: that text goes {behaviour.system.value}",
    ]
    if behaviour.reasoning:
        kept = "left out of" if behaviour.strips_reasoning else "kept in"
        words.append(f"it reasons in {behaviour.reasoning.opening}, which is {kept} later prompts")
    if behaviour.trims:
        words.append("white space around messages is removed")
    if behaviour.dated:
        words.append("it writes the date, which is that of the conversation")
    if behaviour.switches_thinking:
        words.append("--think and --no-think work")
    elif behaviour.reasoning:
        words.append("it has no switch for reasoning: --think-budget 0 ends it at once")
    return "; ".join(words)


def _record(probe: Probes) -> Iterator[Finding]:
    def conversations() -> str:
        number = probe.conversations()
        return "no store yet: the first question makes it" if number is None else f"{number:,}, all readable"

    yield _attempt("conversations", conversations, "restore the store from a backup, or move it away")
    if probe.notes_server is not None:
        mend = "start the server, or change notes.url; until then turns go without notes"
        yield _attempt("notes server", probe.notes_server, mend, matters=False)
    else:
        mend = "ctxchat notes search WORD builds it again from the store; no note is lost"
        yield _attempt("notes", lambda: _notes(*probe.notes()), mend, matters=False)
    yield _attempt("KV snapshots", lambda: _snapshots(*probe.snapshots()), "free some space", matters=False)
    yield _attempt("folders", _folders, "make them writable, or set XDG_DATA_HOME and its kin")
    yield _attempt("disk", _disk, "free some space")


def _notes(collections: Sequence[Collection], parted: Sequence[str]) -> str:
    if not collections:
        return "none yet: ctxchat notes add PATH makes some"
    number = sum(collection.notes for collection in collections)
    spaces = ", ".join(dict.fromkeys(collection.space for collection in collections))
    where = "1 collection" if len(collections) == 1 else f"{len(collections):,} collections"
    seen = f"{number:,} in {where}, embedded by {spaces}"
    if parted:
        names = ", ".join(f'"{name}"' for name in parted)
        raise CtxChatError(f"{seen}; the index is missing or damaged of {names}")
    return f"{seen}; Chroma holds all of them"


def _snapshots(taken: int, allowed: int) -> str:
    if not allowed:
        return "none are kept: kv.max_disk is 0"
    return f"{taken / 1e6:,.1f} MB of the {allowed / 1e6:,.0f} MB that kv.max_disk allows"


def _folders() -> str:
    folders = (
        locations.data_folder(),
        locations.config_folder(),
        locations.state_folder(),
        locations.cache_folder(),
    )
    blocked = [str(folder) for folder in folders if not os.access(_existing(folder), os.W_OK | os.X_OK)]
    if blocked:
        raise CtxChatError(f"cannot be written: {', '.join(blocked)}")
    return ", ".join(map(str, folders))


def _disk() -> str:
    free = shutil.disk_usage(_existing(locations.data_folder())).free
    seen = f"{free / 1e9:,.1f} GB free beside {locations.data_folder()}"
    if free < _LEAST_FREE_BYTES:
        raise CtxChatError(seen)
    return seen


def _existing(path: Path) -> Path:
    """The path, or what exists of it."""
    return next(part for part in (path, *path.parents) if part.exists())
