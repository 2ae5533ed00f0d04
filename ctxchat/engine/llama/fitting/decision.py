"""How a model file is run here: asked of the machine, and decided before anything is loaded."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from ctxchat.domain.errors import ModelError, UsageError
from ctxchat.domain.receipt import DeviceMemory
from ctxchat.domain.window import DEFAULT_WINDOW, window_size
from ctxchat.engine.gguf.header import GgufHeader
from ctxchat.engine.llama.devices import Device
from ctxchat.engine.llama.fitting.choice import HOST_MARGIN, LEAST_WINDOW, Fit, Fitting, Room, Way, Wish
from ctxchat.engine.llama.fitting.compute import at_most, told
from ctxchat.engine.llama.fitting.demand import demand_of
from ctxchat.engine.llama.fitting.placement import Bytes
from ctxchat.engine.llama.fitting.words import reason, refusal
from ctxchat.engine.llama.machine import usable_cores
from ctxchat.engine.llama.options import EngineOptions, ResolvedOptions, resolve, whole_blocks

Compute = Callable[[Way, tuple[int, ...]], Bytes]


@dataclass(frozen=True, slots=True)
class Decision:
    """The options a model is run with. `tight` says that llama.cpp was asked what it would take, `notice`
    what the person is told of what gave way."""

    options: EngineOptions
    fit: Fit
    tight: bool
    notice: str | None


class Decider:
    """Decides for one file, wishes and memory: GPUs with what is free on them, and what is free of the host,
    None where that is not known."""

    def __init__(
        self, header: GgufHeader, options: EngineOptions, devices: tuple[Device, ...], host: int | None
    ) -> None:
        self._header = header
        self._options = options
        self._devices = _used(devices, options)
        self._host = host
        self._cores = usable_cores()
        self._demand = demand_of(header)
        self._heaviest = max((self._demand.offloaded(unit) for unit in range(self._demand.units)), default=0)

    def decision(self) -> Decision:
        """As it was asked for where that fits even if intermediate results take the most they may; else
        llama.cpp is asked what they take. Raises ModelError, with what would fit, where nothing does."""
        presumed = self._fitting(self._at_most)
        if presumed.holds(presumed.as_asked):
            return Decision(self._options, presumed.as_asked, tight=False, notice=None)
        return self.exact()

    def exact(self) -> Decision:
        """The same, with what llama.cpp says. Raises ModelError."""
        fitting = self._fitting(self._told)
        fit = fitting.fit()
        if fit is None:
            raise ModelError(self._refusal(fitting))
        if fit.asked is None and len(fit.counts) < 2:
            return Decision(self._options, fit, tight=True, notice=None)
        notice = reason(fit) if fit.asked else None
        return Decision(self.options_of(fit.way, fit.counts), fit, tight=True, notice=notice)

    def options_of(self, way: Way, counts: tuple[int, ...]) -> EngineOptions:
        """The options that come to a way. Several devices are told how many layers each takes: what is free
        on them may change until they are loaded."""
        options = self._options
        several = len(counts) > 1 and way.units and options.split_mode == "layer"
        shares = tuple(map(float, counts)) if several else ()
        return replace(
            options,
            n_gpu_layers=-1 if way.units == self._demand.units else way.units,
            window=way.window,
            type_k=way.type_k,
            type_v=way.type_v,
            tensor_split=options.tensor_split or shares,
        )

    def resolve(self, options: EngineOptions) -> ResolvedOptions:
        return resolve(
            options,
            can_offload=bool(self._devices),
            cores=self._cores,
            trained_window=self._header.window,
        )

    def _fitting(self, compute: Compute) -> Fitting:
        devices = tuple(DeviceMemory(device.name, device.free) for device in self._devices)
        room = Room(devices, self._host, any(device.shares_host for device in self._devices))
        return Fitting(self._demand, room, self._wish(), cache(compute), self._flash)

    def _wish(self) -> Wish:
        options = self._options
        layers = options.n_gpu_layers
        return Wish(
            units=self._demand.units if layers is not None and layers < 0 else layers,
            window=whole_blocks(window_size(options.window, self._header.window or DEFAULT_WINDOW)),
            type_k=options.type_k,
            type_v=options.type_v,
            window_free=options.window is None,
            types_free=options.types_free,
            shares=options.tensor_split[: len(self._devices)],
            offload_kv=options.offload_kv,
        )

    def _flash(self, way: Way) -> bool:
        return self.resolve(self.options_of(way, ())).flash_attn

    def _at_most(self, way: Way, counts: tuple[int, ...]) -> Bytes:
        """A device is brought the weights of a layer that stays on the host, and makes f16 of quantized cells
        where it attends to them."""
        resolved = self.resolve(self.options_of(way, counts))
        widest = max(self._demand.cell("f16", "f16", True), default=0)
        copied = self._heaviest + widest * way.window if way.units else 0
        return at_most(self._header, resolved, len(self._devices), copied)

    def _told(self, way: Way, counts: tuple[int, ...]) -> Bytes:
        names = [device.name for device in self._devices]
        return told(self._header, self.options_of(way, counts), self.resolve, names)

    def _refusal(self, fitting: Fitting) -> str:
        would = replace(fitting, wish=fitting.wish.free).fit()
        return refusal(fitting, self._header.path.name, would, None if would else self._bits(fitting))

    def _bits(self, fitting: Fitting) -> float | None:
        """Bits that a weight may have to fit into host and devices with the least window."""
        if self._host is None or not self._header.parameters:
            return None
        asked = fitting.as_asked
        window = min(asked.way.window, LEAST_WINDOW)
        cells = window * sum(self._demand.cell(asked.way.type_k, asked.way.type_v, self._flash(asked.way)))
        free = (
            self._host
            - HOST_MARGIN
            - cells
            - fitting.compute(replace(asked.way, units=0, window=window), _none(asked)).host
        )
        return 8 * free / self._header.parameters


def _none(fit: Fit) -> tuple[int, ...]:
    return (0,) * len(fit.counts)


def _used(devices: tuple[Device, ...], options: EngineOptions) -> tuple[Device, ...]:
    """The devices that llama.cpp would use. Raises UsageError where there is no such main one."""
    if options.n_gpu_layers == 0 or not devices:
        return ()
    if options.split_mode != "none":
        return devices
    if options.main_gpu >= len(devices):
        raise UsageError(f"there is no GPU {options.main_gpu}: --main-gpu can be 0 to {len(devices) - 1}")
    return (devices[options.main_gpu],)
