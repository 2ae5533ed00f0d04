"""What a template does to earlier turns, found by rendering a few."""

import pytest

from ctxchat.domain.errors import ModelError
from ctxchat.domain.model import ReasoningTags, SystemPlacement, TemplateBehaviour
from ctxchat.engine.template.chat_template import JinjaTemplate
from tests.support import chat_templates as shapes

THINK = ReasoningTags("<think>", "</think>")


def behaviour(source: str) -> TemplateBehaviour:
    return JinjaTemplate(source, bos="<s>", eos="</s>").behaviour


def expected(
    *,
    extends: bool = True,
    strips_reasoning: bool = False,
    trims: bool = False,
    moves_system: bool = False,
    takes_system: bool = True,
    dated: bool = False,
    switches_thinking: bool = False,
    reasoning: ReasoningTags | None = None,
) -> TemplateBehaviour:
    return TemplateBehaviour(
        extends, strips_reasoning, trims, moves_system, takes_system, dated, switches_thinking, reasoning
    )


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (shapes.CHATML, expected()),
        (shapes.DATED_AND_TRIMMING, expected(trims=True, dated=True)),
        (shapes.WITHOUT_SYSTEM, expected(takes_system=False)),
        (shapes.GLUES_SYSTEM_TO_THE_LAST_QUESTION, expected(moves_system=True, extends=False)),
        (shapes.DROPS_SYSTEM, expected(takes_system=False, extends=False)),
        (shapes.OPENS_REASONING, expected(extends=False, strips_reasoning=True, reasoning=THINK)),
        (shapes.SWITCHES_REASONING, expected(strips_reasoning=True, switches_thinking=True, reasoning=THINK)),
        (shapes.KEEPS_REASONING, expected(reasoning=THINK)),
    ],
    ids=["plain", "dated", "no system", "glued", "dropped", "opens", "switches", "keeps"],
)
def test_behaviour_is_found(source: str, found: TemplateBehaviour) -> None:
    assert behaviour(source) == found


def test_a_moved_or_refused_system_text_goes_before_the_first_question() -> None:
    for source in (shapes.WITHOUT_SYSTEM, shapes.GLUES_SYSTEM_TO_THE_LAST_QUESTION, shapes.DROPS_SYSTEM):
        assert behaviour(source).system is SystemPlacement.FIRST_QUESTION
    assert behaviour(shapes.CHATML).system is SystemPlacement.OWN_ROLE


def test_a_date_that_stands_only_in_a_default_system_message_counts() -> None:
    source = "{% if messages[0].role != 'system' %}It is {{ strftime_now('%Y') }}.{% endif %}" + shapes.CHATML
    assert behaviour(source).dated


def test_a_template_that_renders_no_question_is_refused() -> None:
    with pytest.raises(ModelError, match="refuses: never"):
        behaviour("{{ raise_exception('never') }}")


def test_a_template_that_takes_one_turn_alone_does_not_extend() -> None:
    source = "{% if messages | length > 2 %}{{ raise_exception('one turn') }}{% endif %}" + shapes.CHATML
    assert not behaviour(source).extends
