"""What long prompts cost, measured by reading one: slow, and nothing is extrapolated."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.measurement import Measured, Measuring
from ctxchat.engine.llama.loaded import LoadedModel
from ctxchat.engine.llama.options import EngineOptions
from ctxchat.engine.llama.snapshot_trial import saved_and_restored
from ctxchat.engine.llama.trial import InterruptedTrialError, Trial, trial

DECODED = 8
"""Tokens that are decoded at each size."""

Emit = Callable[[Measuring | Measured], None]


def measure(
    loaded: LoadedModel, options: EngineOptions, sizes: Sequence[int], stop: Cancel, emit: Emit
) -> None:
    """Read a prompt of the largest of `sizes`, which rise, and emit what each has taken, decoding too.
    Ends early where it was stopped, or where there is no memory for more cells. Raises ModelError where
    there is none for the smallest."""
    emit(Measuring(0, sizes[-1]))
    cells = sizes[-1] + DECODED + 1
    with suppress(InterruptedTrialError), trial(loaded, options, cells, stop) as measured:
        measured.use(loaded.costs.threads)
        measured.decode(1)
        measured.forget(1)
        _read_through(measured, loaded, sizes, stop, emit)
    loaded.costs.learn()


def _read_through(
    measured: Trial, loaded: LoadedModel, sizes: Sequence[int], stop: Cancel, emit: Emit
) -> None:
    done, seconds = 0, 0.0
    for size in sizes:
        if size + DECODED > measured.capacity:
            return
        while done < size:
            part = min(measured.slice, size - done)
            seconds += measured.read(part)
            done += part
            emit(Measuring(done, sizes[-1]))
        loaded.costs.saw_read(size, 0, seconds)
        save, restore = saved_and_restored(measured, loaded, stop)
        decoding = measured.decode(DECODED)
        loaded.costs.saw_decoded(DECODED, size, decoding)
        if loaded.cache.trims:
            measured.forget(DECODED)
        emit(Measured(size, seconds, decoding / DECODED, save, restore))
