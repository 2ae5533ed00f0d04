"""A model in this process, run by llama.cpp."""

import atexit
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import EngineError
from ctxchat.domain.events import EngineEvent, ModelLoading, Warned
from ctxchat.domain.measurement import Calibration, Measured, Measuring
from ctxchat.domain.model import Generation, ModelFacts
from ctxchat.domain.ports import Template
from ctxchat.domain.receipt import Memory
from ctxchat.engine.gguf.checked_vocabularies import check_once
from ctxchat.engine.gguf.reading import read_header
from ctxchat.engine.llama.cache import LlamaCache
from ctxchat.engine.llama.calibration import calibrate
from ctxchat.engine.llama.costs import LlamaCosts
from ctxchat.engine.llama.generation import generate
from ctxchat.engine.llama.loaded import LoadedModel, open_by_llama, open_for_counting, open_vocabulary
from ctxchat.engine.llama.machine import resident_memory
from ctxchat.engine.llama.measuring import measure
from ctxchat.engine.llama.options import EngineOptions, ResolvedOptions
from ctxchat.engine.llama.worker import Worker
from ctxchat.engine.snapshots.folder import SnapshotFolder
from ctxchat.engine.tokens.segments import SegmentVocabulary

LOADING_STEPS = 20
"""How many times at most the loading of a model is reported."""


class LlamaModel:
    """A GGUF file as a model that answers; `options` say how it is run, and its cells are kept in
    `snapshots` where they are given."""

    def __init__(
        self, path: Path, options: EngineOptions | None = None, snapshots: SnapshotFolder | None = None
    ) -> None:
        self._path = path
        self._snapshots = snapshots
        self._options = options or EngineOptions()
        self._worker: Worker | None = None
        self._loaded: LoadedModel | None = None
        self._has_weights = False

    @property
    def facts(self) -> ModelFacts:
        return self._opened().facts

    @property
    def vocabulary(self) -> SegmentVocabulary:
        return self._opened().vocabulary

    @property
    def template(self) -> Template:
        return self._opened().template

    @property
    def cache(self) -> LlamaCache:
        return self._opened().cache

    @property
    def prefixes(self) -> None:
        return None

    @property
    def costs(self) -> LlamaCosts | None:
        return self._loaded.costs if self._loaded else None

    @property
    def resolved(self) -> ResolvedOptions:
        """The options as they are really used."""
        return self._opened().resolved

    def load(self, cancel: Cancel, *, weights: bool = True) -> Iterator[ModelLoading | Warned]:
        """Open the file, once, and tell what gives way where memory is short. Raises ModelError; ends early,
        not loaded, where it was cancelled."""
        if self._loaded and (self._has_weights or not weights):
            return
        if self._worker is None:
            self._worker = Worker("llama.cpp")
            atexit.register(self.close)
        stop, opened = Cancel(), list[LoadedModel]()
        job = partial(self._open, self._worker, weights, stop, opened)
        with cancel.calling(stop.request):
            yield from self._worker.stream(job, stop)
        if opened and not stop.requested:
            self._loaded, self._has_weights = opened[0], weights

    def generate(self, generation: Generation, cancel: Cancel) -> Iterator[EngineEvent]:
        """Answer; see `domain.ports.Model`. Its iterator must be read from another thread than the
        worker's."""
        loaded = self._opened()
        worker, stop = self._with_weights(), Cancel()
        job = partial(generate, loaded.cache, loaded.vocabulary, loaded.costs, generation, stop)
        with cancel.calling(stop.request):
            yield from worker.stream(job, stop)

    def calibrate(self, cancel: Cancel, seconds: float) -> Iterator[Calibration]:
        """Find within so many seconds what work costs, in cells of its own, and with how many threads it
        is done best; gives what was seen. Raises ModelError."""
        loaded, stop = self._opened(), Cancel()

        def job(emit: Callable[[Calibration], None]) -> None:
            emit(calibrate(loaded, loaded.options, stop, seconds))

        with cancel.calling(stop.request):
            yield from self._with_weights().stream(job, stop)

    def measure(self, sizes: Sequence[int], cancel: Cancel) -> Iterator[Measuring | Measured]:
        """Read a prompt in cells of its own and give what each of the rising `sizes` has taken. Ends
        early where it was cancelled, or memory for the cells is short. Raises ModelError."""
        loaded, stop = self._opened(), Cancel()
        job = partial(measure, loaded, loaded.options, sizes, stop)
        with cancel.calling(stop.request):
            yield from self._with_weights().stream(job, stop)

    def memory(self) -> Memory:
        loaded = self._opened()
        return Memory(
            weights=loaded.weights.bytes if self._has_weights else 0,
            kv=loaded.cache.kv_bytes,
            compute=loaded.cache.compute_bytes,
            resident=resident_memory(),
            devices=loaded.devices,
        )

    def close(self) -> None:
        """Stop what runs and free the model. Safe to call twice."""
        if self._worker is None:
            return
        atexit.unregister(self.close)
        self._worker.close()
        if self._loaded:
            self._loaded.cache.close()
        self._worker, self._loaded, self._has_weights = None, None, False

    def _opened(self) -> LoadedModel:
        if self._loaded is None:
            raise EngineError("the model is not loaded")
        return self._loaded

    def _with_weights(self) -> Worker:
        if self._worker is None or not self._has_weights:
            raise EngineError("the model is loaded without its weights: it can count but not answer")
        return self._worker

    def _open(
        self,
        worker: Worker,
        with_weights: bool,
        stop: Cancel,
        opened: list[LoadedModel],
        emit: Callable[[ModelLoading | Warned], None],
    ) -> None:
        header = read_header(self._path)
        check_once(header)
        options, kept = self._options, self._snapshots
        loaded = None if with_weights else open_for_counting(header, options, worker, kept)
        if loaded is None:
            report = _Progress(header.bytes, stop, emit)
            if with_weights:
                loaded = open_by_llama(header, options, worker, report, lambda m: emit(Warned(m)), kept)
            else:
                loaded = open_vocabulary(header, options, worker, report, kept)
            if loaded and with_weights:
                report(1.0)
        if loaded:
            opened.append(loaded)


class _Progress:
    """Bytes of a file that are read, reported in steps; says no more where it is to stop."""

    def __init__(self, total: int, stop: Cancel, emit: Callable[[ModelLoading], None]) -> None:
        self._total = total
        self._stop = stop
        self._emit = emit
        self._step = -1

    def __call__(self, share: float) -> bool:
        step = int(share * LOADING_STEPS)
        if step > self._step:
            self._step = step
            self._emit(ModelLoading(int(share * self._total), self._total))
        return not self._stop.requested
