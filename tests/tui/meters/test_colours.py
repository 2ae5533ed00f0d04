from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from ctxchat.domain.conversation import Section
from ctxchat.tui.meters.colours import (
    ANSWER,
    DARK,
    DISK,
    DRAFT,
    FREE,
    GLYPHS,
    LIGHT,
    NEW,
    RESERVE,
    REUSED,
    Palette,
    look_of,
)


def five(palette: Palette) -> tuple[str, ...]:
    return (palette.teal, palette.gold, palette.green, palette.blue, palette.pink)


# Machado, Oliveira and Fernandes 2009, at full strength, in linear RGB.
SIGHTS = {
    "full": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "no blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.793617785, -0.0040720468],
        [1.9779984951, -2.428592205, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.808675766],
    ]
)


def linear(colour: str) -> NDArray[np.float64]:
    channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def oklab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    seen: NDArray[np.float64] = TO_LAB @ np.cbrt(TO_CONES @ np.clip(rgb, 0, 1))
    return seen


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize(("palette", "apart"), [(DARK, 0.148), (LIGHT, 0.118)])
def test_the_five_colours_stay_apart_for_every_sight(sight: str, palette: Palette, apart: float) -> None:
    seen = [oklab(np.array(SIGHTS[sight]) @ linear(colour)) for colour in five(palette)]
    assert min(float(np.linalg.norm(one - other)) for one, other in combinations(seen, 2)) >= apart


@pytest.mark.parametrize(("palette", "screen"), [(DARK, "#121212"), (LIGHT, "#fafaf8"), (LIGHT, "#e0e0e0")])
def test_the_five_colours_stand_out_from_the_screen(palette: Palette, screen: str) -> None:
    def luminance(colour: str) -> float:
        return float(linear(colour) @ [0.2126, 0.7152, 0.0722]) + 0.05

    for colour in five(palette):
        faint, bright = sorted((luminance(colour), luminance(screen)))
        assert bright / faint >= 3


@pytest.mark.parametrize("bar", [[*Section, DRAFT, RESERVE, FREE], [REUSED, DISK, NEW, ANSWER, FREE]])
def test_all_parts_of_a_bar_have_glyphs_of_their_own(bar: list[str]) -> None:
    assert len({GLYPHS[source] for source in bar}) == len(bar)


@pytest.mark.parametrize("bar", [[*Section, DRAFT, RESERVE, FREE], [REUSED, DISK, NEW, ANSWER, FREE]])
def test_with_colours_parts_differ_by_their_colour_or_by_their_glyph(bar: list[str]) -> None:
    look = look_of("truecolor", no_color=False)
    assert len({(look.glyph(source), look.colour(source)) for source in bar}) == len(bar)


def test_glyphs_tell_parts_apart_where_there_are_sixteen_colours_or_none() -> None:
    assert look_of("standard", no_color=False).textured
    assert look_of(None, no_color=False).textured
    assert look_of("truecolor", no_color=True).textured
    assert not look_of("256", no_color=False).textured


def test_a_light_theme_has_colours_of_its_own() -> None:
    assert look_of("truecolor", no_color=False, dark=False).palette is LIGHT
    assert look_of("truecolor", no_color=False).palette is DARK
