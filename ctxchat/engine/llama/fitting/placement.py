"""Which layers lie on which device, and what that takes there and on the host."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from ctxchat.engine.llama.fitting.demand import Demand


@dataclass(frozen=True, slots=True)
class Bytes:
    """What is taken on each device, and on the host."""

    devices: tuple[int, ...]
    host: int

    def plus(self, more: "Bytes") -> "Bytes":
        devices = tuple(a + b for a, b in zip(self.devices, more.devices, strict=True))
        return Bytes(devices, self.host + more.host)


def in_proportion(units: int, shares: Sequence[float]) -> tuple[int, ...]:
    """How many of so many layers each device takes, as llama.cpp splits them by shares."""
    if not units or not sum(shares) > 0:
        return (units, *[0] * (len(shares) - 1)) if shares else ()
    ends = [end / sum(shares) for end in accumulate(shares)]
    counts = [0] * len(shares)
    for unit in range(units):
        counts[next((n for n, end in enumerate(ends) if unit / units < end), len(ends) - 1)] += 1
    return tuple(counts)


def one_by_one(demanded: Sequence[int], room: Sequence[int]) -> tuple[int, ...] | None:
    """How many layers each device takes where each is filled before the next, None where there is no room
    for all. No other split of layers in their order has room where this has none."""
    counts, at = [0] * len(room), 0
    for device, free in enumerate(room):
        taken = 0
        while at < len(demanded) and taken + demanded[at] <= free:
            taken += demanded[at]
            counts[device] += 1
            at += 1
    return tuple(counts) if at == len(demanded) else None


def by_unit(demand: Demand, units: int, cell: Sequence[int], cells: int, *, offload_kv: bool) -> list[int]:
    """Bytes on a device of each of the last `units` layers, cells included where they lie there."""
    first = demand.units - units
    kv = [size * cells if offload_kv else 0 for size in (*cell, 0)]
    return [demand.offloaded(unit) + kv[unit] for unit in range(first, demand.units)]


def placed(
    demand: Demand, counts: Sequence[int], cell: Sequence[int], cells: int, *, offload_kv: bool
) -> Bytes:
    """What weights and cells take, with so many of the last layers on each device."""
    units = sum(counts)
    sizes = by_unit(demand, units, cell, cells, offload_kv=offload_kv)
    ends = list(accumulate(counts))
    on_devices = [sum(sizes[end - count : end]) for end, count in zip(ends, counts, strict=True)]
    on_host = demand.units - units
    host = demand.input + sum(demand.layers[:on_host]) + (demand.head if not units else 0)
    host += sum(cell[:on_host] if offload_kv else cell) * cells
    return Bytes(tuple(on_devices), host)
