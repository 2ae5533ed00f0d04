"""A model file that is open: by llama.cpp, or for counting alone without it."""

from collections.abc import Callable
from functools import cache, cached_property, partial

from ctxchat.domain.errors import EngineError
from ctxchat.domain.model import ModelFacts
from ctxchat.domain.ports import Template
from ctxchat.domain.receipt import DeviceMemory
from ctxchat.domain.window import DEFAULT_WINDOW
from ctxchat.engine.gguf.file_names import model_name
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.gguf.kv_size import bytes_per_token
from ctxchat.engine.gguf.purpose import refuse_other_purpose
from ctxchat.engine.llama.cache import LlamaCache
from ctxchat.engine.llama.cells import CellTraits
from ctxchat.engine.llama.costs import LlamaCosts
from ctxchat.engine.llama.devices import devices
from ctxchat.engine.llama.fitting.compute import lying_on
from ctxchat.engine.llama.fitting.host_room import HostRoom
from ctxchat.engine.llama.fitting.opening import Opened, open_where_it_fits
from ctxchat.engine.llama.kept_cells import KeptCells
from ctxchat.engine.llama.machine import usable_cores
from ctxchat.engine.llama.options import EngineOptions, ResolvedOptions, resolve
from ctxchat.engine.llama.vocabulary import LlamaVocabulary
from ctxchat.engine.llama.weights import LlamaWeights
from ctxchat.engine.llama.worker import Worker
from ctxchat.engine.snapshots.fingerprint import Fingerprint, fingerprint_of, is_long
from ctxchat.engine.snapshots.folder import SnapshotFolder
from ctxchat.engine.tokens.segments import SegmentVocabulary
from ctxchat.engine.tokens.verdicts import examine, remembered
from ctxchat.engine.tokens.vocabulary import TiktokenVocabulary


class LoadedModel:
    """What is there once a file has been opened; `opened` is None where llama.cpp does not hold it."""

    def __init__(
        self,
        header: GgufHeader,
        vocabulary: SegmentVocabulary,
        cache: LlamaCache,
        costs: LlamaCosts,
        opened: Opened,
    ) -> None:
        self.header = header
        self.options = opened.options
        self.vocabulary = vocabulary
        self.cache = cache
        self.costs = costs
        self.resolved = opened.resolved
        self._weights = opened.weights
        self.facts = ModelFacts(
            name=model_name(header.path) if header.path.suffix == ".gguf" else header.name,
            path=str(header.path),
            architecture=header.architecture,
            window=header.window or DEFAULT_WINDOW,
            layers=header.layers,
            weights=sum(tensor.bytes for tensor in header.tensors),
            trims=cache.trims,
            room=opened.room,
        )
        header.let_pages_go()

    @property
    def devices(self) -> tuple[DeviceMemory, ...]:
        """The devices that layers lie on: what the model takes there, and what is free beside it."""
        if self._weights is None or not self.resolved.offloaded:
            return ()
        held = (self._weights.buffers, self.cache.buffers)
        return tuple(
            DeviceMemory(device.name, device.free, used)
            for device in devices()
            if (used := sum(lying_on(device.name, buffers) for buffers in held))
        )

    @property
    def weights(self) -> LlamaWeights:
        if self._weights is None:
            raise EngineError("the model is loaded without its weights: it can count but not answer")
        return self._weights

    @cached_property
    def template(self) -> Template:
        from ctxchat.engine.template.chat_template import template_of

        return template_of(self.header)


def open_by_llama(
    header: GgufHeader,
    options: EngineOptions,
    worker: Worker,
    report: Callable[[float], bool],
    tell: Callable[[str], None],
    snapshots: SnapshotFolder | None,
) -> LoadedModel | None:
    """Open a file with llama.cpp, None where `report` interrupted it. What gives way for memory is told.
    Raises ModelError."""
    opened = open_where_it_fits(header, options, report, tell)
    if opened.weights is None or opened.weights.interrupted:
        return None
    vocabulary = LlamaVocabulary(opened.weights, header.vocabulary_fingerprint())
    return _loaded(header, opened, worker, snapshots, vocabulary, trims=opened.weights.trims)


def open_vocabulary(
    header: GgufHeader,
    options: EngineOptions,
    worker: Worker,
    report: Callable[[float], bool],
    snapshots: SnapshotFolder | None,
) -> LoadedModel | None:
    """Open a file's vocabulary alone with llama.cpp, None where `report` interrupted it. It is examined, so
    that the next time llama.cpp is not needed for it. Raises ModelError."""
    offloads = bool(devices())
    resolved = _resolved(header, options, offloads=offloads)
    weights = LlamaWeights(header, options, resolved, report, vocabulary_only=True)
    if weights.interrupted:
        return None
    vocabulary = LlamaVocabulary(weights, header.vocabulary_fingerprint())
    if remembered(header) is None:
        examine(header, vocabulary, trims=weights.trims, offloads=offloads)
    opened = Opened(weights, options, resolved)
    return _loaded(header, opened, worker, snapshots, vocabulary, trims=weights.trims, only_vocabulary=True)


def open_for_counting(
    header: GgufHeader, options: EngineOptions, worker: Worker, snapshots: SnapshotFolder | None
) -> LoadedModel | None:
    """Open a file without llama.cpp, None where it was not found yet to count the same. Raises
    ModelError."""
    verdict = remembered(header)
    if verdict is None or verdict.kinds is None:
        return None
    refuse_other_purpose(header)
    resolved = _resolved(header, options, offloads=verdict.offloads)
    vocabulary = TiktokenVocabulary(
        header, verdict.kinds, partial(_vocabulary_alone, header, options, resolved)
    )
    opened = Opened(None, options, resolved)
    return _loaded(header, opened, worker, snapshots, vocabulary, trims=verdict.trims, only_vocabulary=True)


def _loaded(
    header: GgufHeader,
    opened: Opened,
    worker: Worker,
    snapshots: SnapshotFolder | None,
    vocabulary: SegmentVocabulary,
    *,
    trims: bool,
    only_vocabulary: bool = False,
) -> LoadedModel:
    """What comes with a vocabulary, and with weights: cells and costs."""
    options, resolved = opened.options, opened.resolved
    weights = None if only_vocabulary else opened.weights
    costs = LlamaCosts(header, options, resolved)
    traits = _traits(header, resolved, costs, trims=trims)
    whole = not trims or (opened.weights is not None and opened.weights.slides)
    kept = _kept(snapshots, header, options, resolved, costs, whole=whole)
    room = HostRoom(header, options, resolved, weights.mapped) if weights else None
    cells = LlamaCache(worker, weights, options, resolved, traits, kept, room)
    return LoadedModel(header, vocabulary, cells, costs, opened)


def _vocabulary_alone(
    header: GgufHeader, options: EngineOptions, resolved: ResolvedOptions
) -> LlamaVocabulary:
    weights = LlamaWeights(header, options, resolved, lambda _: True, vocabulary_only=True)
    return LlamaVocabulary(weights, header.vocabulary_fingerprint())


def _resolved(header: GgufHeader, options: EngineOptions, *, offloads: bool) -> ResolvedOptions:
    return resolve(options, can_offload=offloads, cores=usable_cores(), trained_window=header.window)


def _traits(header: GgufHeader, resolved: ResolvedOptions, costs: LlamaCosts, *, trims: bool) -> CellTraits:
    sizes = partial(bytes_per_token, header, flash_attention=resolved.flash_attn)
    return CellTraits(sizes, trims, partial(is_long, header), costs.carrying)


def _kept(
    snapshots: SnapshotFolder | None,
    header: GgufHeader,
    options: EngineOptions,
    resolved: ResolvedOptions,
    costs: LlamaCosts,
    *,
    whole: bool,
) -> KeptCells | None:
    if snapshots is None:
        return None

    @cache
    def fingerprint(long: bool) -> Fingerprint:
        return fingerprint_of(
            header,
            type_k=options.type_k,
            type_v=options.type_v,
            flash_attention=resolved.flash_attn,
            long=long,
        )

    return KeptCells(snapshots, lambda capacity: fingerprint(is_long(header, capacity)), whole, costs)
