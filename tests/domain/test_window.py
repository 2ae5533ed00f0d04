import pytest

from ctxchat.domain.conversation import Section
from ctxchat.domain.errors import UsageError
from ctxchat.domain.prompt import Piece, Prompt
from ctxchat.domain.window import choose_window, too_large


@pytest.mark.parametrize(
    ("wanted", "trained", "max_tokens", "size", "reserve"),
    [
        (None, 131_072, None, 8192, 1024),
        (None, 2048, None, 2048, 256),
        (256, 8192, None, 256, 64),
        (131_072, 131_072, None, 131_072, 4096),
        (None, 8192, 32, 8192, 32),
    ],
)
def test_window_and_reserve(
    wanted: int | None, trained: int, max_tokens: int | None, size: int, reserve: int
) -> None:
    window = choose_window(wanted, trained, max_tokens)
    assert (window.size, window.reserve) == (size, reserve)


def test_an_answer_as_large_as_the_window_is_refused() -> None:
    with pytest.raises(UsageError, match="--max-tokens"):
        choose_window(512, 8192, 512)


def test_a_window_past_the_trained_one_is_warned_of() -> None:
    assert choose_window(16_384, 8192, None).warning
    assert choose_window(8192, 8192, None).warning is None


def test_what_does_not_fit_is_told_by_how_much_and_what_would_help() -> None:
    prompt = Prompt((Piece(Section.DATA, "", (1,) * 2000),), window=1024, reserve=128, verbatim_turns=0)
    message = too_large(prompt, choose_window(1024, 8192, 128), prompt.usable)
    assert "1,104 too many" in message
    assert "--ctx-size" in message
    assert "data" in message
