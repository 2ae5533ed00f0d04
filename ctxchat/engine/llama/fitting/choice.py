"""How a model is run in the memory there is: all of it as it was asked for, else with what gives way.

`docs/adr/0012-what-gives-way-for-memory.md` says in which order, and why.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ctxchat.domain.errors import ModelError, UsageError
from ctxchat.domain.receipt import DeviceMemory
from ctxchat.engine.llama.fitting.demand import Demand
from ctxchat.engine.llama.fitting.placement import Bytes, by_unit, in_proportion, one_by_one, placed
from ctxchat.engine.llama.options import CELL_BLOCK

GIBIBYTE = 1 << 30

DEVICE_MARGIN = GIBIBYTE
"""Bytes of a device left alone where layers are chosen by us, as llama.cpp's own fitting does: its
libraries, and scratch that is allocated while it computes."""

HOST_MARGIN = GIBIBYTE // 4
"""Bytes of the host left alone: what Python, vocabularies and indexes grow by while a model answers."""

LEAST_WINDOW = 2048
"""A window that was not asked for is made no smaller than this."""

SMALLER = "q8_0"
"""The type that keys and values are made smaller with: measured, it changes an answer no more than another
kernel does."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way of running a model. `units` are the layers on devices, the output head counting as one."""

    units: int
    window: int
    type_k: str
    type_v: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted, and what of it may be chosen otherwise: `units` where it is None, the window and the
    types where they are `free`. `shares` are what each device is to take, empty for by free memory."""

    units: int | None
    window: int
    type_k: str = "f16"
    type_v: str = "f16"
    window_free: bool = False
    types_free: bool = False
    shares: tuple[float, ...] = ()
    offload_kv: bool = True

    @property
    def free(self) -> "Wish":
        """The same with everything free."""
        return replace(self, units=None, window_free=True, types_free=True, shares=())


@dataclass(frozen=True, slots=True)
class Fit:
    """What was chosen: how, how many layers each device takes, and what that takes of what was free. `asked`
    is the way that was wanted and what it would have taken, None where it was taken."""

    way: Way
    counts: tuple[int, ...]
    devices: tuple[DeviceMemory, ...]
    host: DeviceMemory
    asked: "Fit | None" = None


@dataclass(frozen=True)
class Room:
    """The memory there is: `devices` with what is free on each, the host, and which share its memory."""

    devices: tuple[DeviceMemory, ...]
    host: int | None
    shared: bool = False

    def has(self, taken: Bytes, *, margin: int) -> bool:
        """Whether so much can be taken, and as much as the margin is left of each device that is used."""
        for device, used in zip(self.devices, taken.devices, strict=True):
            if used and device.free is not None and used + margin > device.free:
                return False
        host = taken.host + (sum(taken.devices) if self.shared else 0)
        return self.host is None or host + HOST_MARGIN <= self.host


@dataclass(frozen=True)
class Fitting:
    """A model, the memory there is, and what is wanted. `compute` tells what intermediate results take in a
    way of running with so many layers on each device; `flash` whether flash attention is on."""

    demand: Demand
    room: Room
    wish: Wish
    compute: Callable[[Way, tuple[int, ...]], Bytes]
    flash: Callable[[Way], bool]

    def fit(self) -> Fit | None:
        """The first way in the order of preference that fits; None where none does."""
        asked = None
        for way in self._ways():
            if fit := self._fitting(way):
                return fit if asked is None else replace(fit, asked=self.as_asked)
            asked = asked or way
        return None

    @cached_property
    def as_asked(self) -> Fit:
        """What is wanted, whether there is memory for it or not."""
        way = next(self._ways())
        return self._taking(way, self._splits(way)[0])

    def holds(self, fit: Fit) -> bool:
        """Whether there is room for what a way takes."""
        taken = Bytes(tuple(device.used for device in fit.devices), fit.host.used)
        return self.room.has(taken, margin=self._margin)

    def _ways(self) -> Iterator[Way]:
        wish = self.wish
        for window in self._windows():
            wanted = Way(self._most, window, wish.type_k, wish.type_v)
            quantized = replace(wanted, type_k=SMALLER, type_v=SMALLER)
            yield wanted
            if self._most and wish.offload_kv and self._can(quantized):
                yield quantized
            if wish.units is None and self._most:
                yield from self._with_fewer(wanted)
            on_host = replace(wanted, units=0, type_k=SMALLER)
            if (wish.units is None or not self._most) and self._can(on_host):
                yield on_host

    def _windows(self) -> Iterator[int]:
        window = self.wish.window
        yield window
        while self.wish.window_free and window // 2 >= LEAST_WINDOW:
            window = window // (2 * CELL_BLOCK) * CELL_BLOCK
            yield window

    def _with_fewer(self, wanted: Way) -> Iterator[Way]:
        """The same with the most layers that have room beside what intermediate results take there: as far
        as that is known from one way, then from the way that it leads to. At last with none."""
        units = self._most - 1
        way = replace(wanted, units=max(1, units // 2))
        while units > 0:
            beside = self._beside(way, self._splits(way)[0])
            there = (replace(wanted, units=n) for n in range(units, 0, -1))
            way = next((one for one in there if self._fitting(one, beside)), replace(wanted, units=0))
            if not way.units:
                break
            yield way
            units = way.units - 1
        yield replace(wanted, units=0)

    @property
    def _most(self) -> int:
        """Layers that are wanted on devices."""
        if not self.room.devices:
            return 0
        units = self.wish.units
        return self.demand.units if units is None else min(units, self.demand.units)

    @property
    def _margin(self) -> int:
        return DEVICE_MARGIN if self.wish.units is None else 0

    def _can(self, way: Way) -> bool:
        """Whether types may be chosen, and these can hold the model's keys and values."""
        if not self.wish.types_free:
            return False
        try:
            self.demand.cell(way.type_k, way.type_v, self.flash(way))
        except UsageError:
            return False
        return True

    def _fitting(self, way: Way, compute: Bytes | None = None) -> Fit | None:
        try:
            for counts in self._splits(way, compute):
                fit = self._taking(way, counts, compute)
                if self.holds(fit):
                    return fit
        except ModelError:
            if (way.type_k, way.type_v) == (self.wish.type_k, self.wish.type_v):
                raise
        return None

    def _taking(self, way: Way, counts: tuple[int, ...], compute: Bytes | None = None) -> Fit:
        cell = self._cell(way)
        taken = placed(self.demand, counts, cell, way.window, offload_kv=self.wish.offload_kv)
        taken = taken.plus(compute or self._beside(way, counts))
        devices = tuple(
            replace(device, used=used if count else 0)
            for device, used, count in zip(self.room.devices, taken.devices, counts, strict=True)
        )
        return Fit(way, counts, devices, DeviceMemory("CPU", self.room.host, taken.host))

    def _splits(self, way: Way, compute: Bytes | None = None) -> Sequence[tuple[int, ...]]:
        """Ways to split layers over the devices: in proportion, and filling one before the next."""
        frees = [device.free or 0 for device in self.room.devices]
        counts = in_proportion(way.units, self.wish.shares or frees)
        if self.wish.shares or len(frees) < 2:
            return (counts,)
        beside = (compute or self._beside(way, counts)).devices
        rooms = [max(0, free - used - self._margin) for free, used in zip(frees, beside, strict=True)]
        sizes = by_unit(self.demand, way.units, self._cell(way), way.window, offload_kv=self.wish.offload_kv)
        filled = one_by_one(sizes, rooms)
        return (counts, filled) if filled and filled != counts else (counts,)

    def _beside(self, way: Way, counts: tuple[int, ...]) -> Bytes:
        """What intermediate results take. Nothing is asked where all memory together does not hold the rest:
        what llama.cpp notes of cells takes memory too, and seconds where they are hundreds of millions."""
        least = self.demand.weights + sum(self._cell(way)) * way.window
        if self.room.host is None or least <= self.room.host + sum(
            one.free or 0 for one in self.room.devices
        ):
            return self.compute(way, counts)
        return Bytes((0,) * len(counts), 0)

    def _cell(self, way: Way) -> tuple[int, ...]:
        return self.demand.cell(way.type_k, way.type_v, self.flash(way))
