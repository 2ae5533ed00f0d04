"""What stdout gets where it is no terminal, and what flags change of it."""

import io
import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxchat.cli.answer_views import JsonAnswer, JsonEvents, PlainAnswer, View
from ctxchat.cli.receipt import receipt_json
from ctxchat.cli.stages import at_once, code_block_alone, without_reasoning
from ctxchat.display.code_block import first_code_block
from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import TextGenerated, TurnEvent, TurnFinished, Warned
from tests.support.shown_turns import failed, receipt, turn


class Flushed(io.StringIO):
    """Remembers what was there at each flush."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def flush(self) -> None:
        self.seen.append(self.getvalue())


def show(view: View, events: Iterable[TurnEvent]) -> None:
    for event in events:
        view.show(event)


def plain(events: Iterable[TurnEvent]) -> str:
    out = io.StringIO()
    show(PlainAnswer(out), events)
    return out.getvalue()


def test_text_is_flushed_as_it_comes() -> None:
    out = Flushed()
    show(PlainAnswer(out), turn(["One", " two"]))
    assert out.seen == ["One", "One two", "One two\n"]


@given(st.lists(st.sampled_from(["a", "b\n", "\n", "\n\nc", " ", ""])))
def test_plain_text_is_the_answer_with_one_newline_at_its_end(texts: list[str]) -> None:
    assert plain(turn(texts)) == "".join(texts).rstrip("\n") + "\n"


def test_off_a_terminal_the_text_is_not_touched() -> None:
    assert plain(turn(["\x1b[31mred\x07"])) == "\x1b[31mred\x07\n"


def test_a_turn_that_failed_before_any_text_prints_nothing() -> None:
    assert plain([failed(3, "no model")]) == ""
    assert plain(turn([], finish=Finish.CANCELLED)) == ""


def test_a_partial_answer_ends_with_its_newline() -> None:
    assert plain(turn(["half"], finish=Finish.CANCELLED)) == "half\n"


def test_json_is_one_object_at_the_end() -> None:
    out = io.StringIO()
    show(JsonAnswer(out), turn(["Hé", "llo\x9b"]))
    assert "\x9b" not in out.getvalue()
    assert json.loads(out.getvalue()) == json.loads(json.dumps(receipt_json(receipt("Héllo\x9b"))))


def test_events_are_one_object_a_line_and_their_texts_are_the_answer() -> None:
    out = io.StringIO()
    show(JsonEvents(out), [Warned("careful"), *turn(["One\n", "two"], reasoning=["Hm"])])
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["type"] for line in lines] == [
        "warned", "model_loading", "prompt_built", "cost_predicted", "prefilled", "prefilled",
        "reasoning_generated", "text_generated", "text_generated", "finished",
    ]  # fmt: skip
    assert lines[0] == {"type": "warned", "message": "careful"}
    assert lines[1] == {"type": "model_loading", "done": 50, "total": 100}
    assert lines[2]["sections"]["system"] == 30
    assert (lines[3]["kv"]["reused"], lines[3]["predicted"]["prefill"]) == (700, None)
    assert lines[5] == {"type": "prefilled", "done": 112, "total": 112}
    assert lines[6] == {"type": "reasoning_generated", "text": "Hm"}
    final = lines[-1]
    assert "".join(line["text"] for line in lines if line["type"] == "text_generated") == final["answer"]
    del final["type"]
    assert final == json.loads(json.dumps(receipt_json(receipt("One\ntwo", reasoning="Hm"))))


@pytest.mark.parametrize(
    ("markdown", "block"),
    [
        ("a\n```py\nx = 1\n\ny\n```\nb\n```\nz\n```", "x = 1\n\ny"),
        ("~~~\n```\n~~~\n", "```"),
        ("````\n```\nin\n```\n````", "```\nin\n```"),
        ("  ```sh\n  ls\n  ```", "  ls"),
        ("```py\ncut off", "cut off"),
        ("```\n```", ""),
        ("inline ``` and `x`", None),
        ("```not a fence``` text", None),
        ("", None),
    ],
)
def test_the_first_code_block_is_found(markdown: str, block: str | None) -> None:
    assert first_code_block(markdown) == block


def test_extracting_puts_the_block_in_the_place_of_the_answer() -> None:
    events = list(code_block_alone(turn(["Do:\n``", "`\nls\n", "```\n"])))
    assert [event.text for event in events if isinstance(event, TextGenerated)] == ["ls"]
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].receipt.answer == "ls"
    assert plain(events) == "ls\n"


def test_without_a_block_the_answer_is_whole_and_that_is_said() -> None:
    events = list(code_block_alone(turn(["No", " code"])))
    assert plain(events) == "No code\n"
    assert any(isinstance(event, Warned) for event in events)
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].receipt.answer == "No code"


def test_at_once_holds_the_text_until_it_is_whole() -> None:
    out = Flushed()
    show(PlainAnswer(out), at_once(turn(["One", " two"])))
    assert out.seen[0] == "One two"


def test_hidden_reasoning_is_in_no_event() -> None:
    events = list(without_reasoning(turn(["x"], reasoning=["secret"])))
    assert "secret" not in repr(events)
