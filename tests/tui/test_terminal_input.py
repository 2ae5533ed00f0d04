"""What a terminal sends, cut wherever it may be."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from textual._xterm_parser import XTermParser
from textual.events import Key, Paste
from textual.message import Message

from ctxchat.tui.terminal_input import PASTE, PASTE_END, TerminalInput


def parsed(content: bytes, cuts: list[int]) -> list[Message]:
    places = sorted({0, len(content), *(cut % (len(content) + 1) for cut in cuts)})
    decoder, parser = TerminalInput(), XTermParser()
    texts = [decoder.decode(content[a:b]) for a, b in pairwise(places)]
    events = [event for text in texts if text for event in parser.feed(text)]
    return [*events, *parser.feed("z")]


def pasted(events: list[Message]) -> list[str]:
    return [event.text for event in events if isinstance(event, Paste)]


def keys(events: list[Message]) -> list[str]:
    return [event.key for event in events if isinstance(event, Key)]


@given(st.lists(st.integers(min_value=0), max_size=8))
def test_an_escape_in_a_paste_presses_no_key(cuts: list[int]) -> None:
    hostile = "one\r\n\x1b[31mtwo\x07\x1b[99999999999999999999999999999999999999999\r\0three\x1b\r"
    events = parsed(f"a{PASTE}{hostile}{PASTE_END}b".encode(), cuts)
    assert keys(events) == ["a", "b", "z"]
    assert pasted(events) == ["one\r\n[31mtwo[99999999999999999999999999999999999999999\rthree\r"]


@given(st.lists(st.integers(min_value=0), max_size=8))
def test_bytes_that_are_no_utf_8_are_replaced_and_keys_go_on(cuts: list[int]) -> None:
    events = parsed(b"a\xff\xe9b", cuts)
    assert keys(events)[0] == "a"
    assert keys(events)[-2:] == ["b", "z"]


@given(st.binary(max_size=60), st.lists(st.integers(min_value=0), max_size=4))
def test_whatever_comes_nothing_is_raised_and_outside_of_a_paste_all_of_it_is_passed_on(
    content: bytes, cuts: list[int]
) -> None:
    places = sorted({0, len(content), *(cut % (len(content) + 1) for cut in cuts)})
    decoder = TerminalInput()
    passed = "".join(decoder.decode(content[a:b]) for a, b in pairwise(places)) + decoder.decode(b"", True)
    if PASTE.encode() not in content:
        assert passed == content.decode("utf-8", "replace")
