"""What is said of how a model fits: one line, with the numbers."""

from collections.abc import Iterator

from ctxchat.domain.receipt import DeviceMemory
from ctxchat.engine.llama.fitting.choice import DEVICE_MARGIN, HOST_MARGIN, LEAST_WINDOW, Fit, Fitting, Way

QUANTIZATIONS = {"Q8_0": 8.5, "Q6_K": 6.6, "Q5_K_M": 5.7, "Q4_K_M": 4.9, "Q3_K_M": 3.9, "Q2_K": 3.4}
"""Bits that a weight takes in whole files of these quantizations, about."""


def reason(fit: Fit) -> str:
    """Why a model is run as it is."""
    if fit.asked is None:
        return f"{_where(fit)}: {', '.join(_shares(fit))}"
    changes = "; ".join(_changes(fit.way, fit.asked.way)) or "the layers are split otherwise"
    return f"memory is short: {changes}; as asked it needs {_short(fit.asked)}; now {', '.join(_shares(fit))}"


def refusal(fitting: Fitting, name: str, would: Fit | None, bits: float | None) -> str:
    """Why a model is not loaded, and what would fit: another way of running it, or a file whose weights
    take so many bits each."""
    way = fitting.as_asked.way
    told = f"{name} with a window of {way.window:,} needs {_short(fitting.as_asked)}, and is not loaded"
    if would:
        return f"{told}: {' '.join(_flags(would.way, way))} would fit"
    smaller = next((kind for kind, each in QUANTIZATIONS.items() if bits and each <= bits), None)
    if smaller:
        return f"{told}: its {smaller} would fit with a window of {min(way.window, LEAST_WINDOW):,}"
    return f"{told}: take a smaller model"


def size(amount: int | None) -> str:
    """Bytes as people read them."""
    if amount is None:
        return "an unknown amount"
    return f"{amount / 1e9:,.1f} GB" if amount >= 1e9 else f"{amount / 1e6:.1f} MB"


def _where(fit: Fit) -> str:
    if not fit.way.units:
        return "all layers on the CPU"
    names = [device.name for device, count in zip(fit.devices, fit.counts, strict=True) if count]
    return f"{fit.way.units} layers on {', '.join(names)}, the output head counting as one"


def _shares(fit: Fit) -> Iterator[str]:
    for device in (*fit.devices, fit.host):
        if device.used or device is fit.host:
            yield f"{size(device.used)} of {size(device.free)} free on {device.name}"


def _changes(way: Way, asked: Way) -> Iterator[str]:
    if way.units != asked.units:
        yield f"{way.units or 'no'} of {asked.units} layers on the GPU"
    if way.window != asked.window:
        yield f"a window of {way.window:,} tokens instead of {asked.window:,}"
    if (way.type_k, way.type_v) != (asked.type_k, asked.type_v):
        yield f"{way.type_k} keys and {way.type_v} values"


def _short(fit: Fit) -> str:
    """What is needed where it is missing."""
    margins = [*((device, DEVICE_MARGIN) for device in fit.devices), (fit.host, HOST_MARGIN)]
    lacking = [told for device, margin in margins if (told := _lack(device, margin))]
    return " and ".join(lacking) or ", ".join(_shares(fit))


def _lack(device: DeviceMemory, margin: int) -> str | None:
    if device.free is None or not device.used or device.used + margin <= device.free:
        return None
    return (
        f"{size(device.used)} on {device.name}, where {size(device.free)} are free and {size(margin)} stay so"
    )


def _flags(way: Way, asked: Way) -> Iterator[str]:
    if way.units != asked.units:
        yield f"-ngl {way.units}"
    if way.window != asked.window:
        yield f"--ctx-size {way.window}"
    if way.type_k != asked.type_k:
        yield f"--cache-type-k {way.type_k}"
    if way.type_v != asked.type_v:
        yield f"--cache-type-v {way.type_v}"
