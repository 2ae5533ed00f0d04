"""Names of collections as Chroma takes them, and back."""

import re

from hypothesis import given
from hypothesis import strategies as st

from ctxchat.store.server.names import chroma_name, shown_name

TAKEN = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]")


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=100))
def test_every_name_of_ours_is_one_that_chroma_takes_and_comes_back(name: str) -> None:
    assert TAKEN.fullmatch(chroma_name(name))
    assert shown_name(chroma_name(name)) == name


@given(st.from_regex(TAKEN, fullmatch=True))
def test_every_name_of_chromas_is_shown_and_means_itself(name: str) -> None:
    shown = shown_name(name)
    assert shown == name or chroma_name(shown) == name


def test_names_that_both_take_stay_as_they_are() -> None:
    assert [chroma_name(name) for name in ("notes", "a.b-c_d", "ab")] == ["notes", "a.b-c_d", "ctxchat-ab--0"]
