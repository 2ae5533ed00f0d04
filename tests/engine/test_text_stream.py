"""Characters from bytes, and markers in text, however both are cut."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ctxchat.engine.text_stream import Characters, MarkerSearch

LETTERS = st.text("ab<", max_size=30)
MARKERS = st.lists(st.text("ab<", min_size=1, max_size=4), max_size=3).map(tuple)


def cut(draw: st.DrawFn, whole: bytes | str) -> list[bytes] | list[str]:
    places = draw(st.lists(st.integers(0, len(whole)), max_size=10).map(sorted))
    bounds = [0, *places, len(whole)]
    return [whole[a:b] for a, b in pairwise(bounds)]  # type: ignore[return-value]


@st.composite
def bytes_in_pieces(draw: st.DrawFn) -> list[bytes]:
    whole = draw(st.one_of(st.text(max_size=20).map(str.encode), st.binary(max_size=30)))
    return cut(draw, whole)  # type: ignore[return-value]


@st.composite
def text_in_pieces(draw: st.DrawFn) -> list[str]:
    return cut(draw, draw(LETTERS))  # type: ignore[return-value]


@given(bytes_in_pieces())
def test_characters_are_those_of_the_whole(pieces: list[bytes]) -> None:
    characters = Characters()
    text = "".join(map(characters.feed, pieces)) + characters.finish()
    assert text == b"".join(pieces).decode("utf-8", "replace")


def test_a_character_is_given_out_when_it_is_whole() -> None:
    characters = Characters()
    given_out = [(characters.feed(bytes([byte])), characters.whole) for byte in "é€".encode()]
    assert given_out == [("", False), ("é", True), ("", False), ("", False), ("€", True)]


def search(markers: tuple[str, ...], pieces: list[str]) -> tuple[str, str | None]:
    found = MarkerSearch(markers)
    text = ""
    for piece in pieces:
        text += found.feed(piece)
        if found.found:
            return text, found.found
    return text + found.finish(), None


@given(MARKERS, text_in_pieces())
def test_any_cutting_finds_the_same_marker_at_the_same_place(
    markers: tuple[str, ...], pieces: list[str]
) -> None:
    whole = "".join(pieces)
    assert search(markers, pieces) == search(markers, list(whole)) == search(markers, [whole])


@given(MARKERS, text_in_pieces())
def test_nothing_of_a_marker_leaks(markers: tuple[str, ...], pieces: list[str]) -> None:
    whole = "".join(pieces)
    text, found = search(markers, pieces)
    assert not any(marker in text for marker in markers)
    assert whole.startswith(text + (found or "")) if found else whole == text


def test_what_follows_a_marker_is_the_rest() -> None:
    found = MarkerSearch(("</think>",))
    assert found.feed("so</th") == "so"
    assert found.feed("ink> yes") == ""
    assert (found.found, found.rest) == ("</think>", " yes")


def test_an_empty_marker_is_none() -> None:
    assert search(("",), ["ab"]) == ("ab", None)
