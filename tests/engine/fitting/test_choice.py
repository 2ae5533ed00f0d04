"""What is chosen for the memory there is: never more than there is, never less than there is room for."""

from dataclasses import replace
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from ctxchat.domain.errors import ModelError, UsageError
from ctxchat.domain.receipt import DeviceMemory
from ctxchat.engine.llama.fitting.choice import (
    DEVICE_MARGIN,
    HOST_MARGIN,
    LEAST_WINDOW,
    Fit,
    Fitting,
    Room,
    Way,
    Wish,
)
from ctxchat.engine.llama.fitting.demand import Demand
from ctxchat.engine.llama.fitting.placement import Bytes

GIB = 1 << 30
LAYER, HEAD, INPUT = GIB // 5, GIB // 2, GIB // 2
TYPES = {"f16": 4.0, "q8_0": 2.125}


def demand(layers: int = 32, cell: int = 4096) -> Demand:
    """A model of about 7 GiB, whose cells take 128 KiB each."""

    @cache
    def of_cell(type_k: str, type_v: str, flash: bool) -> tuple[int, ...]:
        if type_v == "q8_0" and not flash:
            raise UsageError("quantized values need flash attention")
        return (int(cell * (TYPES[type_k] + TYPES[type_v]) / 8),) * layers

    return Demand(INPUT, (LAYER,) * layers, HEAD, 0, of_cell)


def fitting(
    devices: tuple[int, ...],
    host: int | None = 64 * GIB,
    *,
    wish: Wish | None = None,
    model: Demand | None = None,
    shared: bool = False,
) -> Fitting:
    model = model or demand()

    def compute(way: Way, counts: tuple[int, ...]) -> Bytes:
        scratch = 1000 * way.window + GIB // 8
        return Bytes((scratch,) * len(devices), scratch)

    room = Room(tuple(DeviceMemory(f"GPU{n}", free) for n, free in enumerate(devices)), host, shared)
    return Fitting(model, room, wish or Wish(None, 8192), compute, lambda way: way.units > 0)


def fit(*devices: int, host: int | None = 64 * GIB, **more: object) -> Fit:
    found = fitting(devices, host, **more).fit()  # type: ignore[arg-type]
    assert found
    return found


SOME = settings(max_examples=25)
"""Each example tries dozens of ways."""

free = st.integers(0, 12 * GIB)
hosts = st.integers(0, 16 * GIB)
wishes = st.builds(
    Wish,
    units=st.none() | st.integers(0, 33),
    window=st.sampled_from([2048, 8192, 32768, 131072]),
    window_free=st.booleans(),
    types_free=st.booleans(),
    offload_kv=st.booleans(),
)


def test_where_all_fits_nothing_is_changed() -> None:
    found = fit(24 * GIB, wish=Wish(None, 8192, window_free=True, types_free=True))
    assert (found.way, found.counts, found.asked) == (Way(33, 8192, "f16", "f16"), (33,), None)


def test_quantized_cells_come_first_where_they_bring_the_whole_model_to_the_gpu() -> None:
    needed = sum(device.used for device in fit(64 * GIB).devices)
    wish = Wish(None, 8192, types_free=True)
    found = fit(needed + DEVICE_MARGIN - 1, wish=wish)
    assert (found.way.units, found.way.type_k, found.way.type_v) == (33, "q8_0", "q8_0")
    assert fit(needed + DEVICE_MARGIN, wish=wish).asked is None


def test_else_fewer_layers_lie_there_and_types_stay() -> None:
    found = fit(6 * GIB, wish=Wish(None, 8192, window_free=True, types_free=True))
    assert 0 < found.way.units < 33
    assert (found.way.window, found.way.type_k) == (8192, "f16")
    assert found.asked
    assert found.asked.way.units == 33


def test_the_window_shrinks_only_where_the_host_has_no_room_for_the_rest() -> None:
    wish = Wish(None, 65536, window_free=True, types_free=True)
    assert fit(6 * GIB, wish=wish).way.window == 65536
    scarce = fit(6 * GIB, host=8 * GIB, wish=wish)
    assert LEAST_WINDOW <= scarce.way.window < 65536


def test_what_was_typed_is_kept_or_nothing_fits() -> None:
    typed = Wish(None, 65536)
    assert fit(6 * GIB, wish=typed).way.window == 65536
    assert fitting((6 * GIB,), 8 * GIB, wish=typed).fit() is None
    assert fitting((4 * GIB,), wish=Wish(33, 8192)).fit() is None


def test_layers_that_were_typed_may_use_all_that_is_free() -> None:
    needed = fit(64 * GIB).devices[0].used
    assert fit(needed, wish=Wish(33, 8192)).way.units == 33
    assert fitting((needed - 1,), wish=Wish(33, 8192)).fit() is None


def test_without_a_gpu_keys_are_made_smaller_before_the_window_is() -> None:
    wish = Wish(None, 8192, window_free=True, types_free=True)
    needed = fit(host=64 * GIB, wish=wish).host.used + HOST_MARGIN
    assert fit(host=needed, wish=wish).asked is None
    found = fit(host=needed - 1, wish=wish)
    assert (found.way.window, found.way.type_k, found.way.type_v) == (8192, "q8_0", "f16")


def test_cells_on_the_host_are_paid_there() -> None:
    there, here = fit(64 * GIB), fit(64 * GIB, wish=Wish(None, 8192, offload_kv=False))
    cells = 8192 * 4096 * 32
    assert there.devices[0].used - here.devices[0].used == cells
    assert here.host.used - there.host.used == cells


def test_half_a_model_pays_for_half_of_its_cells_there() -> None:
    whole, half = fit(64 * GIB), fit(64 * GIB, wish=Wish(17, 8192))
    cells = 8192 * 4096 * 16
    assert whole.devices[0].used - half.devices[0].used == cells + 16 * LAYER
    assert half.host.used - whole.host.used == cells + 16 * LAYER


def test_a_gpu_without_memory_of_its_own_takes_that_of_the_host() -> None:
    assert fit(16 * GIB, host=12 * GIB, shared=True).asked is None
    assert fitting((16 * GIB,), 8 * GIB, shared=True).fit() is None


def test_a_full_gpu_beside_an_empty_one_takes_no_layer() -> None:
    found = fit(DEVICE_MARGIN // 2, 24 * GIB)
    assert (found.way.units, found.counts) == (33, (0, 33))


def test_shares_that_were_typed_are_kept() -> None:
    found = fit(24 * GIB, 24 * GIB, wish=Wish(None, 8192, shares=(3.0, 1.0)))
    assert found.counts == (25, 8)


def test_a_host_of_unknown_memory_refuses_nothing() -> None:
    assert fit(host=None).way.units == 0


def test_types_that_llama_cpp_refuses_are_not_chosen() -> None:
    whole = fitting((5 * GIB,), wish=Wish(None, 8192, types_free=True))

    def compute(way: Way, counts: tuple[int, ...]) -> Bytes:
        if way.type_k != "f16":
            raise ModelError("it does not divide")
        return whole.compute(way, counts)

    found = replace(whole, compute=compute).fit()
    assert found
    assert found.way.type_k == "f16"


@SOME
@given(free, hosts, wishes)
def test_never_more_is_taken_than_there_is(device: int, host: int, wish: Wish) -> None:
    found = fitting((device,), host, wish=wish).fit()
    if found:
        margin = DEVICE_MARGIN if wish.units is None else 0
        assert found.devices[0].used == 0 or found.devices[0].used + margin <= device
        assert found.host.used + HOST_MARGIN <= host


@SOME
@given(free, free, hosts, wishes)
def test_all_bytes_lie_somewhere(first: int, second: int, host: int, wish: Wish) -> None:
    found = fitting((first, second), host, wish=wish).fit()
    if found:
        way, model = found.way, demand()
        scratch = 1000 * way.window + GIB // 8
        cells = way.window * sum(model.cell(way.type_k, way.type_v, way.units > 0))
        taken = sum(device.used for device in found.devices) + found.host.used
        assert taken == model.weights + cells + scratch * (1 + sum(count > 0 for count in found.counts))
        assert sum(found.counts) == way.units


@SOME
@given(free, st.integers(0, 4 * GIB), st.integers(16, 32), wishes)
def test_more_memory_never_means_fewer_layers(device: int, more: int, host: int, wish: Wish) -> None:
    less = fitting((device,), host * GIB, wish=wish).fit()
    roomy = fitting((device + more,), host * GIB, wish=wish).fit()
    if less:
        assert roomy
        assert roomy.way.units >= less.way.units


@SOME
@given(st.tuples(free, free, free), st.integers(0, 2), st.integers(0, 4 * GIB))
def test_more_memory_on_one_of_several_devices_never_means_fewer_layers(
    devices: tuple[int, int, int], which: int, more: int
) -> None:
    grown = tuple(size + more * (n == which) for n, size in enumerate(devices))
    assert fit(*grown).way.units >= fit(*devices).way.units


@SOME
@given(free, st.integers(8, 20), st.integers(0, 8 * GIB))
def test_more_memory_never_means_a_smaller_window(device: int, host: int, more: int) -> None:
    wish = Wish(None, 131072, window_free=True)
    less = fitting((device,), host * GIB, wish=wish).fit()
    roomy = fitting((device,), host * GIB + more, wish=wish).fit()
    if less:
        assert roomy
        assert roomy.way.window >= less.way.window


@SOME
@given(free, hosts, wishes)
def test_nothing_gives_way_that_was_typed(device: int, host: int, wish: Wish) -> None:
    found = fitting((device,), host, wish=wish).fit()
    if found:
        assert wish.units in (None, found.way.units)
        assert wish.window_free or found.way.window == wish.window
        assert wish.types_free or (found.way.type_k, found.way.type_v) == ("f16", "f16")
