"""An answer told apart while it is decoded."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import Generated, ReasoningGenerated, TextGenerated
from ctxchat.domain.model import ReasoningTags
from ctxchat.engine.answer_stream import AnswerStream

THINK = ReasoningTags("<think>", "</think>")
WORDS = ["<think>", "</think>", "\n", " ", "a", "é", "<", "END", "E", "so"]
answers = st.lists(st.sampled_from(WORDS), max_size=10).map("".join)


def read(
    pieces: list[bytes],
    tags: ReasoningTags | None = THINK,
    *,
    in_reasoning: bool = False,
    stops: tuple[str, ...] = (),
) -> Generated:
    """Read tokens, numbered from 0, and check that what was shown is what is told at the end."""
    stream = AnswerStream(tags, in_reasoning=in_reasoning, stops=stops)
    shown = []
    for token, piece in enumerate(pieces):
        shown += stream.feed(token, piece)
        if stream.stopped:
            break
    shown += stream.finish()
    told = stream.generated(Finish.STOP)
    assert told.reasoning == "".join(s.text for s in shown if isinstance(s, ReasoningGenerated))
    assert told.text == "".join(s.text for s in shown if isinstance(s, TextGenerated))
    return told


def tokens(*texts: str) -> list[bytes]:
    return [text.encode() for text in texts]


@st.composite
def in_tokens(draw: st.DrawFn) -> list[bytes]:
    whole = draw(answers).encode()
    places = draw(st.lists(st.integers(0, len(whole)), max_size=12).map(sorted))
    bounds = [0, *places, len(whole)]
    return [whole[a:b] for a, b in pairwise(bounds)]


@given(in_tokens(), st.booleans(), st.sampled_from([(), ("END",), ("E", "<")]))
def test_any_tokens_of_the_same_text_tell_the_same(
    pieces: list[bytes], in_reasoning: bool, stops: tuple[str, ...]
) -> None:
    letters = [bytes([byte]) for byte in b"".join(pieces)]
    told, other = (read(cut, in_reasoning=in_reasoning, stops=stops) for cut in (pieces, letters))
    assert (told.reasoning, told.text) == (other.reasoning, other.text)
    assert not any(stop in told.text for stop in stops)


@given(in_tokens(), st.booleans())
def test_every_token_belongs_to_one_part_and_where_aligned_its_text_does_too(
    pieces: list[bytes], in_reasoning: bool
) -> None:
    told = read(pieces, in_reasoning=in_reasoning)
    assert told.reasoning_ids + told.text_ids == tuple(range(len(pieces)))
    if told.aligned:
        assert b"".join(pieces[i] for i in told.text_ids).decode() == told.text
        assert told.reasoning in b"".join(pieces[i] for i in told.reasoning_ids).decode()


@given(in_tokens())
def test_without_tags_all_is_text(pieces: list[bytes]) -> None:
    told = read(pieces, tags=None)
    assert told.text == b"".join(pieces).decode()
    assert (told.reasoning, told.reasoning_ids, told.aligned) == ("", (), True)


def test_reasoning_loses_its_tags_and_the_white_space_around_them() -> None:
    told = read(tokens("\n", "<think>", "why", "</think>", "\n\n", "Be", "cause"))
    assert (told.reasoning, told.text, told.aligned) == ("why", "Because", True)
    assert (told.reasoning_ids, told.text_ids) == ((0, 1, 2, 3, 4), (5, 6))


def test_a_prompt_that_opened_the_reasoning_has_no_opening_tag_in_the_answer() -> None:
    told = read(tokens("why", "</", "think", ">\n", "So"), in_reasoning=True)
    assert (told.reasoning, told.text) == ("why", "So")
    assert (told.reasoning_ids, told.text_ids, told.aligned) == ((0, 1, 2, 3), (4,), True)


def test_a_token_that_ends_the_reasoning_and_begins_the_text_is_not_aligned() -> None:
    told = read(tokens("<think>", "why</think>So", " it"))
    assert (told.reasoning, told.text, told.aligned) == ("why", "So it", False)
    assert (told.reasoning_ids, told.text_ids) == ((0, 1), (2,))


def test_reasoning_that_never_ends_is_all_there_is() -> None:
    told = read(tokens("<think>", "why", "</th"))
    assert (told.reasoning, told.text, told.reasoning_ids) == ("why</th", "", (0, 1, 2))


def test_an_opening_tag_behind_text_is_text() -> None:
    told = read(tokens("a", "<think>", "b"))
    assert (told.reasoning, told.text) == ("", "a<think>b")


def test_an_answer_that_only_begins_like_a_tag_is_text() -> None:
    told = read(tokens(" ", "<th"))
    assert (told.text, told.text_ids) == (" <th", (0, 1))


def test_a_stop_string_in_the_reasoning_does_not_count() -> None:
    told = read(tokens("<think>", "END", "</think>", "a", "END"), stops=("END",))
    assert (told.reasoning, told.text) == ("END", "a")


def test_tokens_of_a_stop_string_are_in_neither_part() -> None:
    told = read(tokens("a", "b", "E", "ND"), stops=("END",))
    assert (told.text, told.text_ids, told.aligned) == ("ab", (0, 1), True)


def test_a_token_that_holds_text_and_the_beginning_of_a_stop_string_is_not_aligned() -> None:
    told = read(tokens("a", "bE", "ND"), stops=("END",))
    assert (told.text, told.text_ids, told.aligned) == ("ab", (0,), False)


def test_a_character_in_two_tokens_keeps_them_together() -> None:
    told = read([b"a\xe2", b"\x82", b"\xac", b"b"], tags=None)
    assert (told.text, told.text_ids) == ("a€b", (0, 1, 2, 3))


def test_half_a_character_at_the_end_is_replaced_and_its_token_kept() -> None:
    told = read([b"a", b"\xe2"], tags=None)
    assert (told.text, told.text_ids) == ("a\ufffd", (0, 1))


def test_a_token_without_any_text_is_kept() -> None:
    assert read([b"", b"a", b""], tags=None).text_ids == (0, 1, 2)


HARMONY = ReasoningTags(
    "<|channel|>analysis<|message|>",
    "<|end|><|start|>assistant<|channel|>final<|message|>",
    direct="<|channel|>final<|message|>",
)


def test_channels_are_told_apart() -> None:
    told = read(tokens("<|channel|>", "analysis", "<|message|>", "hm", HARMONY.closing, "So."), HARMONY)
    assert (told.reasoning, told.text) == ("hm", "So.")
    assert (told.reasoning_ids, told.text_ids) == ((0, 1, 2, 3, 4), (5,))


def test_an_answer_that_comes_without_reasoning_begins_behind_its_channel() -> None:
    told = read(tokens("<|channel|>", "final", "<|message|>", "So."), HARMONY)
    assert (told.reasoning, told.text) == ("", "So.")
    assert (told.reasoning_ids, told.text_ids) == ((0, 1, 2), (3,))


def test_a_channel_that_is_not_known_is_text() -> None:
    told = read(tokens("<|channel|>", "other", "<|message|>", "So."), HARMONY)
    assert (told.reasoning, told.text) == ("", "<|channel|>other<|message|>So.")
