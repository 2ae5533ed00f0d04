"""The chat templates of many families of models: what each does, and that none surprises."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from ctxchat.domain.conversation import Role
from ctxchat.domain.errors import ModelError
from ctxchat.domain.model import SystemPlacement
from ctxchat.engine.gguf.kv_size import bytes_per_token
from ctxchat.engine.gguf.reading import read_header
from ctxchat.engine.template.chat_template import JinjaTemplate, template_of
from tests.support.llama_source import ABSENT, MODELS, templates, vocabularies

pytestmark = pytest.mark.skipif(MODELS is None, reason=ABSENT)

SYSTEM, USER, ASSISTANT = Role.SYSTEM, Role.USER, Role.ASSISTANT
TODAY = datetime(2026, 3, 9, 12, tzinfo=UTC)
NEEDS_FUNCTIONS = "fireworks-ai-llama-3-firefunction-v2"

QUALITIES = (
    "extends",
    "strips_reasoning",
    "trims",
    "moves_system",
    "takes_system",
    "dated",
    "switches_thinking",
)
FAMILIES = {
    "meta-llama-Llama-3.1-8B-Instruct": "extends trims takes_system",
    "meta-llama-Llama-3.2-3B-Instruct": "extends trims takes_system dated",
    "meta-llama-Llama-3.3-70B-Instruct": "extends trims takes_system",
    "Qwen-Qwen2.5-7B-Instruct": "extends takes_system",
    "Qwen-Qwen3-0.6B": "extends strips_reasoning takes_system switches_thinking",
    "Qwen-QwQ-32B": "strips_reasoning takes_system switches_thinking",
    "google-gemma-2-2b-it": "extends trims",
    "mistralai-Mistral-Nemo-Instruct-2407": "extends moves_system takes_system",
    "mistralai-Ministral-3-14B-Reasoning-2512": "extends takes_system",
    "microsoft-Phi-3.5-mini-instruct": "extends takes_system",
    "deepseek-ai-DeepSeek-R1-Distill-Llama-8B": "strips_reasoning takes_system",
    "deepseek-ai-DeepSeek-V3.1": "extends strips_reasoning takes_system switches_thinking",
    "CohereForAI-c4ai-command-r7b-12-2024-tool_use": "strips_reasoning takes_system switches_thinking",
    "openai-gpt-oss-120b": "strips_reasoning takes_system dated",
    "HuggingFaceTB-SmolLM3-3B": "extends takes_system switches_thinking",
    "GLM-4.6": "strips_reasoning trims takes_system switches_thinking",
    "ibm-granite-granite-3.3-2B-Instruct": "extends takes_system dated switches_thinking",
    "moonshotai-Kimi-K2": "extends takes_system",
    "upstage-Solar-Open-100B": "strips_reasoning takes_system dated switches_thinking",
    "MiniMax-M2": "strips_reasoning takes_system",
}
OPENING = ("deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "MiniMax-M2", "StepFun3.5-Flash", "GLM-4.7-Flash")
TAGS = {
    "Qwen-Qwen3-0.6B": "<think>",
    "mistralai-Ministral-3-14B-Reasoning-2512": "[THINK]",
    "ByteDance-Seed-OSS": "<seed:think>",
    "google-gemma-4-31B-it": "<|channel>thought",
    "CohereForAI-c4ai-command-r7b-12-2024-tool_use": "<|START_THINKING|>",
    "Qwen-Qwen2.5-7B-Instruct": None,
}


@cache
def template(name: str) -> JinjaTemplate:
    """One template for all tests, since it is probed once."""
    assert MODELS is not None
    source = (MODELS / "templates" / f"{name}.jinja").read_text(encoding="utf-8")
    return JinjaTemplate(source, bos="<s>", eos="</s>")


def literals(name: str, *roles: Role, think: bool | None = None) -> tuple[str, ...]:
    return template(name).scaffold(roles, at=TODAY, think=think).literals


def turns(name: str) -> list[list[Role]]:
    """Three conversations, each with one turn more, as they are sent to this template."""
    own_role = template(name).behaviour.system is SystemPlacement.OWN_ROLE
    return [[SYSTEM] * own_role + [USER, ASSISTANT] * number + [USER] for number in range(3)]


@pytest.mark.parametrize("name", FAMILIES)
def test_what_a_family_does_is_found(name: str) -> None:
    behaviour = template(name).behaviour
    assert [quality for quality in QUALITIES if getattr(behaviour, quality)] == FAMILIES[name].split()


@pytest.mark.parametrize("name", TAGS)
def test_the_tags_of_reasoning_are_found(name: str) -> None:
    tags = template(name).behaviour.reasoning
    assert (tags and tags.opening) == TAGS[name]


@pytest.mark.parametrize("name", OPENING)
def test_a_prompt_that_ends_inside_reasoning_says_so(name: str) -> None:
    assert template(name).scaffold([USER], at=TODAY, think=None).opens_reasoning


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.stem)
def test_every_template_gives_a_scaffold(path: Path) -> None:
    """Sentinels are found once and in order, or the template's own complaint is told in one line."""
    if path.stem == NEEDS_FUNCTIONS:
        with pytest.raises(ModelError, match="refuses: 'functions' is undefined"):
            literals(path.stem, USER)
        return
    for roles in turns(path.stem):
        found = literals(path.stem, *roles)
        assert len(found) == len(roles) + 1
        assert all("ctxchat" not in literal for literal in found)
        assert found[-1]


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.stem)
def test_every_template_that_extends_does_so_in_each_turn(path: Path) -> None:
    if path.stem == NEEDS_FUNCTIONS or not template(path.stem).behaviour.extends:
        return
    first, second, third = (literals(path.stem, *roles) for roles in turns(path.stem))
    assert second[: len(first)] == first
    assert third[: len(second)] == second


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.stem)
def test_every_refusal_is_one_line(path: Path) -> None:
    for roles in ([ASSISTANT], [USER, USER], [SYSTEM, SYSTEM, USER], [USER, SYSTEM], []):
        complaint = ""
        try:
            template(path.stem).scaffold(roles, at=TODAY, think=True, answer=False)
        except ModelError as error:
            complaint = str(error)
        assert complaint == "" or complaint.startswith("the chat template ")
        assert "\n" not in complaint


def test_thinking_switched_off_closes_what_is_never_opened() -> None:
    assert literals("Qwen-Qwen3-0.6B", USER)[-1].endswith("<|im_start|>assistant\n")
    assert literals("Qwen-Qwen3-0.6B", USER, think=False)[-1].endswith("<think>\n\n</think>\n\n")


def test_the_date_is_the_one_given() -> None:
    assert "09 Mar 2026" in literals("meta-llama-Llama-3.2-3B-Instruct", SYSTEM, USER)[0]
    assert "2026-03-09" in literals("openai-gpt-oss-120b", USER)[0]


def test_gemma_says_that_it_takes_no_system_message() -> None:
    with pytest.raises(ModelError, match="refuses: System role not supported"):
        literals("google-gemma-2-2b-it", SYSTEM, USER)


def test_nemo_is_not_asked_to_hold_a_system_message_in_place() -> None:
    with pytest.raises(ModelError, match="the chat template moves message 2"):
        literals("mistralai-Mistral-Nemo-Instruct-2407", SYSTEM, USER, ASSISTANT, USER)


@pytest.mark.parametrize("path", vocabularies(), ids=lambda path: path.stem)
def test_headers_of_real_vocabularies_are_read(path: Path) -> None:
    header = read_header(path)
    assert header.window
    assert not header.tensors
    assert bytes_per_token(header, "f16", "f16") > 0
    tokens = header.metadata["tokenizer.ggml.tokens"]
    assert len(tokens) > 10_000  # type: ignore[arg-type]
    assert template_of(header).scaffold([USER], at=TODAY, think=None).literals[-1]


def test_the_page_about_families_is_what_is_found() -> None:
    from tests.support.families import PAGE, page

    assert PAGE.read_text(encoding="utf-8") == page()


SWITCHES = {
    "ByteDance-Seed-OSS": "</seed:think>",
    "Cohere2MoE": "<|START_THINKING|><|END_THINKING|>",
    "MiniMax-M3": "</mm:think>",
    "upstage-Solar-Open-100B": "<|begin|>assistant<|think|><|end|>",
    "deepseek-ai-DeepSeek-V3.1": "</think>",
}


@pytest.mark.parametrize("name", SWITCHES)
def test_reasoning_is_switched_off_under_the_name_the_template_has_for_it(name: str) -> None:
    off = literals(name, USER, think=False)[-1].rstrip()
    assert SWITCHES[name] in off
    assert not template(name).scaffold([USER], at=TODAY, think=False).opens_reasoning
    assert literals(name, USER, think=True)[-1] != literals(name, USER, think=False)[-1]


def test_effort_that_is_only_written_down_is_no_switch() -> None:
    assert not template("openai-gpt-oss-120b").behaviour.switches_thinking


def test_channels_are_tags_of_reasoning_and_stand_in_no_later_prompt() -> None:
    behaviour = template("openai-gpt-oss-120b").behaviour
    assert behaviour.reasoning
    assert behaviour.strips_reasoning
    before = literals("openai-gpt-oss-120b", USER, ASSISTANT, USER)[1]
    assert before.endswith(behaviour.reasoning.direct)
    assert behaviour.reasoning.ending == "<|end|><|start|>assistant<|channel|>final<|message|>"
