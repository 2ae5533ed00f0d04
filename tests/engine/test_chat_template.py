"""The scaffold that a chat template puts around messages."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ctxchat.domain.conversation import Role
from ctxchat.domain.errors import ModelError
from ctxchat.domain.model import Scaffold
from ctxchat.engine.gguf.reading import read_header
from ctxchat.engine.template.chat_template import OWN, SUBSTITUTE, JinjaTemplate, template_of
from tests.support import chat_templates as shapes
from tests.support.header_writer import LLAMA, write_gguf

SYSTEM, USER, ASSISTANT = Role.SYSTEM, Role.USER, Role.ASSISTANT
TODAY = datetime(2026, 3, 9, 12, tzinfo=UTC)


def scaffold(
    source: str, *roles: Role, think: bool | None = None, answer: bool = True, at: datetime = TODAY
) -> Scaffold:
    return JinjaTemplate(source, bos="<s>", eos="</s>").scaffold(roles, at=at, think=think, answer=answer)


def test_literals_stand_around_messages() -> None:
    assert scaffold(shapes.CHATML, SYSTEM, USER).literals == (
        "<|im_start|>system\n",
        "<|im_end|>\n<|im_start|>user\n",
        "<|im_end|>\n<|im_start|>assistant\n",
    )


def test_without_an_answer_there_is_no_generation_prompt() -> None:
    assert scaffold(shapes.CHATML, USER, ASSISTANT, answer=False).literals[-1] == "<|im_end|>\n"


def test_tokens_and_the_date_are_filled_in() -> None:
    literals = scaffold(shapes.DATED_AND_TRIMMING, SYSTEM, USER).literals
    assert literals[0] == "<s>[system] Today is 09 Mar 2026. "
    assert literals[1:] == ("</s>[user] ", "</s>[assistant] ")


def test_what_is_not_known_is_undefined_and_not_none() -> None:
    assert scaffold(shapes.WANTS_TOOLS, USER).literals[0] == "<|im_start|>user\n"


@pytest.mark.parametrize(("think", "ending"), [(None, "|>"), (True, "|>"), (False, "</think>\n\n")])
def test_the_switch_for_reasoning_is_passed_where_it_is_set(think: bool | None, ending: str) -> None:
    found = scaffold(shapes.SWITCHES_REASONING, USER, think=think)
    assert found.literals[-1].endswith(ending)
    assert not found.opens_reasoning


def test_a_generation_prompt_that_opens_reasoning_says_so() -> None:
    assert scaffold(shapes.OPENS_REASONING, USER).opens_reasoning
    assert not scaffold(shapes.OPENS_REASONING, USER, ASSISTANT, answer=False).opens_reasoning


def test_a_long_conversation_is_rendered_in_one_go() -> None:
    roles = [SYSTEM, *[USER, ASSISTANT] * 500, USER]
    literals = scaffold(shapes.CHATML, *roles).literals
    assert len(literals) == len(roles) + 1
    assert set(literals[1:-1:2]) == {"<|im_end|>\n<|im_start|>user\n"}


@pytest.mark.parametrize(
    ("source", "roles", "words"),
    [
        (shapes.WITHOUT_SYSTEM, [SYSTEM, USER], "refuses: System role not supported"),
        (shapes.WITHOUT_SYSTEM, [USER, USER], "refuses: Roles must alternate user"),
        (shapes.DROPS_SYSTEM, [SYSTEM, USER], "leaves out message 1, of the role system"),
        (shapes.REPEATS_THE_LAST_QUESTION, [USER], "repeats message 1, of the role user"),
        (
            shapes.GLUES_SYSTEM_TO_THE_LAST_QUESTION,
            [SYSTEM, USER, ASSISTANT, USER],
            "moves message 2, of the role user",
        ),
        ("{{ messages[0].content | upper }}", [USER], "leaves out message 1"),
        ("{{ messages[7].content }}", [USER], "refuses: list object has no element 7"),
        ("{% if %}", [USER], "refuses: Expected an expression"),
        ("{{ messages | nonsense }}", [USER], "refuses: No filter named 'nonsense'"),
        ("x" * 300_000, [USER], "the chat template is 300,000 characters long"),
    ],
)
def test_a_template_that_cannot_be_used_says_what_it_does(source: str, roles: list[Role], words: str) -> None:
    with pytest.raises(ModelError, match=r"^the chat template") as caught:
        scaffold(source, *roles)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_message_of_many_lines_is_told_in_one() -> None:
    with pytest.raises(ModelError, match=r"refuses: not like this$"):
        scaffold("{{ raise_exception('not\n\n  like this') }}", USER)


def test_json_is_written_as_templates_expect_it() -> None:
    source = "{{ {'b': '<é>', 'a': [1]} | tojson }}{{ [1] | tojson(indent=1) }}" + shapes.CHATML
    assert scaffold(source, USER).literals[0].startswith('{"b": "<é>", "a": [1]}[\n 1\n]<|im')


def test_the_template_of_a_file_is_its_own(tmp_path: Path) -> None:
    extra = {
        "tokenizer.chat_template": shapes.DATED_AND_TRIMMING,
        "tokenizer.ggml.tokens": ["<unk>", "<begin>", "<end>"],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }
    template = template_of(read_header(write_gguf(tmp_path / "m.gguf", {**LLAMA, **extra})))
    assert template.origin == OWN
    literals = template.scaffold([USER], at=TODAY, think=None).literals
    assert literals == ("<begin>[system] Today is 09 Mar 2026. <end>[user] ", "<end>[assistant] ")


def test_a_file_without_a_template_gets_chatml(tmp_path: Path) -> None:
    template = template_of(
        read_header(write_gguf(tmp_path / "m.gguf", {**LLAMA, "tokenizer.ggml.eos_token_id": 9}))
    )
    assert template.origin == SUBSTITUTE
    assert template.scaffold([USER], at=TODAY, think=None) == scaffold(shapes.CHATML, USER)
    assert template.behaviour.extends


def test_smollm2_has_a_template_of_its_own(smollm2: Path) -> None:
    template = template_of(read_header(smollm2))
    assert template.origin == OWN
    assert template.scaffold([SYSTEM, USER], at=TODAY, think=None) == scaffold(shapes.CHATML, SYSTEM, USER)
