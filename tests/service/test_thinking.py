"""How long a model reasons, over a scripted one."""

from pathlib import Path

import pytest

from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import ReasoningGenerated, TextGenerated, Warned
from ctxchat.domain.receipt import Receipt
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.template.chat_template import JinjaTemplate
from ctxchat.service.request import AskRequest, Reply
from tests.support import chat_templates as shapes
from tests.support.characters import BracketTemplate
from tests.support.desk import Desk
from tests.support.scripted import ScriptedModel

FORCED = "\n</think>\n\n"


def desk_of(folder: Path, *answers: str, opens: bool = False, reasons: bool = True) -> Desk:
    return Desk(folder, ScriptedModel(list(answers), template=BracketTemplate(reasons=reasons, opens=opens)))


def asked(desk: Desk, question: str = "Why?", **changes: object) -> tuple[str, str, Receipt, list[str]]:
    """What was reasoned and said, the receipt, and the warnings."""
    events = list(desk.events(AskRequest(question, **changes)))  # type: ignore[arg-type]
    reasoned = "".join(e.text for e in events if isinstance(e, ReasoningGenerated))
    said = "".join(e.text for e in events if isinstance(e, TextGenerated))
    return reasoned, said, events[-1].receipt, [e.message for e in events if isinstance(e, Warned)]  # type: ignore[union-attr]


def reasoning_of(desk: Desk, receipt: Receipt) -> str:
    """The recorded ids of the last answer's reasoning, as text."""
    assert receipt.session
    last = desk.record.path(receipt.session, "characters")[-1]
    ids = [i for s in last.segments if s.reasoning for i in s.ids or ()]
    return desk.model.vocabulary.text(ids)


@pytest.mark.parametrize("opens", [True, False])
def test_reasoning_ends_after_its_tokens_and_the_answer_goes_on(tmp_path: Path, opens: bool) -> None:
    written = "abcdefg" if opens else "<think>abcdefg"
    desk = desk_of(tmp_path, written, opens=opens)
    reasoned, said, receipt, warned = asked(desk, think_budget=4)
    assert (reasoned, said, receipt.finish, warned) == ("abcd\n", "efg", Finish.STOP, [])
    assert reasoning_of(desk, receipt) == ("" if opens else "<think>") + "abcd" + FORCED


@pytest.mark.parametrize("opens", [True, False])
def test_no_tokens_for_reasoning_end_it_as_soon_as_it_is_opened(tmp_path: Path, opens: bool) -> None:
    desk = desk_of(tmp_path, "abc" if opens else "<think>abc", opens=opens)
    reasoned, said, _, warned = asked(desk, think_budget=0)
    assert (reasoned, said, warned) == ("\n", "abc", [])


def test_reasoning_that_ends_by_itself_is_left_alone(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "<think>ab</think>So.")
    assert asked(desk, think_budget=100)[:2] == ("ab", "So.")


def test_an_answer_without_reasoning_is_as_it_was(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "So it is.")
    assert asked(desk, think_budget=0)[:2] == ("", "So it is.")


def test_the_next_turn_begins_with_the_ids_that_were_forced(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "<think>abcdefg", "Yes.")
    first = asked(desk, think_budget=4)[2]
    second = asked(desk, "And?", resume=True)[2]
    assert first.prompt
    assert second.prompt
    assert second.kv
    text = desk.model.vocabulary.text(second.prompt.ids)
    assert f"<think>abcd{FORCED}efg" in text
    answered = len("<think>abcd" + FORCED + "efg")
    assert second.kv.reused == first.prompt.total + answered


def test_stop_texts_are_looked_for_behind_what_was_forced(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "aEND-bEND-c", opens=True)
    reasoned, said, receipt, _ = asked(desk, think_budget=5, sampling=Sampling(stop=("END",)))
    assert (reasoned, said, receipt.finish) == ("aEND-\n", "b", Finish.STOP)


def test_what_was_reasoned_before_a_cut_counts(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "abc", "defg", opens=True)
    asked(desk, think_budget=5, sampling=Sampling(max_tokens=3))
    reasoned, said, *_ = asked(desk, "", resume=True, reply=Reply.REST, think_budget=5)
    assert (reasoned, said) == ("de\n", "fg")


def test_an_answer_that_is_gone_on_with_has_no_budget_left_to_lose(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "abcdefghijkl", "xyz", opens=True)
    cut = asked(desk, think_budget=2, sampling=Sampling(max_tokens=2 + len(FORCED) + 3))
    assert (cut[1], cut[2].finish) == ("cde", Finish.LENGTH)
    assert asked(desk, "", resume=True, reply=Reply.REST, think_budget=2)[:2] == ("", "xyz")


def test_reasoning_that_leaves_nothing_for_the_answer_is_said_with_the_ways_out(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "abcdefgh", opens=True)
    _, said, receipt, (warning,) = asked(desk, sampling=Sampling(max_tokens=5))
    assert (said, receipt.finish) == ("", Finish.LENGTH)
    assert warning == (
        "all 5 tokens went into reasoning and none was left for the answer: "
        "allow more with --max-tokens, or less reasoning with --think-budget"
    )


def test_a_model_that_does_not_reason_is_said_to_need_no_budget(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "So.", reasons=False)
    _, said, _, (warning,) = asked(desk, think_budget=3)
    assert said == "So."
    assert warning.startswith("--think-budget does nothing here")


def test_a_model_without_a_switch_is_told_what_else_ends_reasoning(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, "So.")
    assert asked(desk, think=False)[3][0].endswith(
        "no such switch; --think-budget 0 ends its reasoning at once"
    )


def test_no_tokens_for_reasoning_turn_the_switch_of_the_template() -> None:
    assert AskRequest("", think_budget=0).thinks is False
    assert AskRequest("", think=True, think_budget=5).thinks is True
    assert AskRequest("", think_budget=5).thinks is None


ANALYSIS = "<|channel|>analysis<|message|>"
FINAL = "<|channel|>final<|message|>"


@pytest.mark.parametrize(
    ("written", "budget", "reasoned"),
    [
        (f"{ANALYSIS}hm<|end|><|start|>assistant{FINAL}So.", None, "hm"),
        (f"{ANALYSIS}hmSo.", 2, "hm"),
        (f"{FINAL}So.", 2, ""),
    ],
)
def test_channels_are_folded_and_stand_once_in_the_next_prompt(
    tmp_path: Path, written: str, budget: int | None, reasoned: str
) -> None:
    template = JinjaTemplate(shapes.CHANNELS, bos="", eos="")
    desk = Desk(tmp_path, ScriptedModel([written, "Yes."], template=template))
    assert asked(desk, think_budget=budget)[:2] == (reasoned, "So.")
    prompt = asked(desk, "And?", resume=True)[2].prompt
    assert prompt
    text = desk.model.vocabulary.text(prompt.ids)
    assert f"<|end|><|start|>assistant{FINAL}So.<|end|><|start|>user<|message|>And?" in text
    assert "analysis" not in text
