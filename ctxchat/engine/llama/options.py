"""How a person wants a model run, and what that comes to on this machine."""

from dataclasses import dataclass

from ctxchat.domain.errors import UsageError
from ctxchat.domain.window import DEFAULT_WINDOW, window_size
from ctxchat.engine.llama.threads import Threads, choose_threads

CACHE_TYPES = {"f32": 0, "f16": 1, "bf16": 30, "q8_0": 8, "q5_1": 7, "q5_0": 6, "q4_1": 3, "q4_0": 2}
"""Types of keys and values in the cache, with ggml's numbers for them."""

SPLIT_MODES = {"none": 0, "layer": 1, "row": 2}
FLASH_ATTENTION = ("auto", "on", "off")
SPECULATION = ("auto", "on", "off")

CELL_BLOCK = 256
"""llama.cpp allocates cells in blocks of this many."""

CPU_BATCH = 128
OFFLOADED_BATCH, OFFLOADED_UBATCH = 2048, 512
"""llama.cpp's own: a GPU that is asked for several computations at once does not wait between them."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """llama.cpp's options under its names; None leaves the choice to us.

    `n_gpu_layers` below zero means all of them. `window` is the largest context in tokens.
    `types_free` says that keys and values may be of other types where memory is short.
    `one_shot` allocates cells for one request instead of the whole window. Raises UsageError for
    what cannot be.
    """

    n_gpu_layers: int | None = None
    tensor_split: tuple[float, ...] = ()
    split_mode: str = "layer"
    main_gpu: int = 0
    offload_kv: bool = True
    type_k: str = "f16"
    type_v: str = "f16"
    types_free: bool = False
    flash_attn: str = "auto"
    threads: int | None = None
    threads_batch: int | None = None
    batch_size: int | None = None
    ubatch_size: int | None = None
    window: int | None = None
    one_shot: bool = False
    speculation: str = "auto"

    def __post_init__(self) -> None:
        _one_of("cache type for keys", self.type_k, CACHE_TYPES)
        _one_of("cache type for values", self.type_v, CACHE_TYPES)
        _one_of("split mode", self.split_mode, SPLIT_MODES)
        _one_of("flash attention", self.flash_attn, FLASH_ATTENTION)
        _one_of("speculation", self.speculation, SPECULATION)
        for name in ("threads", "threads_batch", "batch_size", "ubatch_size", "window"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name.replace('_', ' ')} must be at least 1, not {value}")
        if quantized(self.type_v) and self.flash_attn == "off":
            raise UsageError(
                f"{self.type_v} values need flash attention: leave --flash-attn at auto, "
                "or take f16 for --cache-type-v"
            )


@dataclass(frozen=True, slots=True)
class ResolvedOptions:
    """What is really used: every choice made. `window` counts whole blocks of cells."""

    offloaded: bool
    n_gpu_layers: int
    flash_attn: bool
    threads: Threads
    batch_size: int
    ubatch_size: int
    window: int

    @property
    def skips_unseen(self) -> bool:
        """Whether a token passes over the cells that it does not see: flash attention does on a CPU; on a
        GPU it computes over all cells up to the last, unless 1,024 or more tokens are read at a time."""
        return self.flash_attn and not self.offloaded


def resolve(
    options: EngineOptions, *, can_offload: bool, cores: int, trained_window: int | None
) -> ResolvedOptions:
    """Make every choice that was left open.

    Flash attention reads the cache faster on a GPU and slower on a CPU, so it is off there unless
    quantized values need it. A slice of a prompt is lost when it is interrupted: on a CPU, where
    larger ones are no faster, it is short.
    """
    layers = options.n_gpu_layers if options.n_gpu_layers is not None else -1
    offloaded = can_offload and layers != 0
    batch, ubatch = (OFFLOADED_BATCH, OFFLOADED_UBATCH) if offloaded else (CPU_BATCH, CPU_BATCH)
    if options.batch_size:
        batch = options.batch_size
        ubatch = min(batch, ubatch) if offloaded else batch
    window = window_size(options.window, trained_window or DEFAULT_WINDOW)
    return ResolvedOptions(
        offloaded=offloaded,
        n_gpu_layers=layers if offloaded else 0,
        flash_attn=options.flash_attn == "on"
        or (options.flash_attn == "auto" and (offloaded or quantized(options.type_v))),
        threads=choose_threads(cores, prefill=options.threads_batch, decode=options.threads),
        batch_size=batch,
        ubatch_size=min(batch, options.ubatch_size or ubatch),
        window=whole_blocks(window),
    )


def whole_blocks(cells: int) -> int:
    """`cells` rounded up to what llama.cpp allocates."""
    return -(-cells // CELL_BLOCK) * CELL_BLOCK


def quantized(cache_type: str) -> bool:
    return cache_type.startswith("q")


def _one_of(what: str, value: str, known: object) -> None:
    names = tuple(known) if isinstance(known, dict | tuple) else ()
    if value not in names:
        raise UsageError(f"{what} must be one of {', '.join(names)}, not {value!r}")
