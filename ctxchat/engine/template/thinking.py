"""How the model of a template reasons: between which texts, and what switches it off."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ctxchat.domain.model import ReasoningTags

KNOWN_TAGS = (
    ReasoningTags("<think>", "</think>"),
    ReasoningTags("[THINK]", "[/THINK]"),
    ReasoningTags("<seed:think>", "</seed:think>"),
    ReasoningTags("<mm:think>", "</mm:think>"),
    ReasoningTags("<|START_THINKING|>", "<|END_THINKING|>"),
    ReasoningTags("<|channel>thought", "<channel|>"),
    ReasoningTags("<|inner_prefix|>", "<|inner_suffix|>"),
    ReasoningTags("Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"),
    ReasoningTags(
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
        direct="<|channel|>final<|message|>",
    ),
    ReasoningTags("<|open|>think<|sep|>", "<|close|>think<|sep|><|open|>response<|sep|>"),
    ReasoningTags("<|think|>", "<|end|><|begin|>assistant<|content|>", direct="<|content|>"),
    ReasoningTags(
        "to=self<|message|>", "<|eom|><|start|>assistant to=user<|message|>", direct="to=user<|message|>"
    ),
)
"""What is looked for in the template, and in an answer with its reasoning as the template writes it."""

REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking")
"""Where templates look for the reasoning of a message."""

_NAMED_TAG = re.compile(r"<(think[^<>/]*)>\s*$")
_REASONING, _ANSWER = "⟦reasoning⟧", "⟦answer⟧"

Messages = Sequence[dict[str, str]]
Variables = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Switch:
    """What a template is told so that the model reasons, or does not."""

    on: Variables
    off: Variables


USUAL = Switch({"enable_thinking": True, "thinking": True}, {"enable_thinking": False, "thinking": False})
OTHERS = (
    Switch({"thinking_mode": "enabled"}, {"thinking_mode": "disabled"}),
    Switch({"reasoning": True}, {"reasoning": False}),
    Switch({"reasoning_effort": "high"}, {"reasoning_effort": "no_think"}),
    Switch({"reasoning_effort": "high"}, {"reasoning_effort": "minimal"}),
    Switch({}, {"thinking_budget": 0}),
)
"""Looked for where the usual names change nothing. They count where they change what the answer begins with:
elsewhere a template writes down whatever it is told."""


def find_tags(source: str, render: Callable[[Messages], str | None]) -> ReasoningTags | None:
    """The texts around reasoning, None where the model is not known to reason."""
    question = {"role": "user", "content": "?"}
    answer = {"role": "assistant", "content": _ANSWER} | dict.fromkeys(REASONING_FIELDS, _REASONING)
    lead, reasoned, rest = (render([question, answer]) or "").partition(_REASONING)
    between = rest.partition(_ANSWER)[0] if reasoned and _ANSWER in rest else ""
    for tags in KNOWN_TAGS:
        written = tags.opening in lead and tags.closing in between
        if written or (tags.opening in source and tags.closing in source):
            return replace(tags, between=between if tags.closing in between else "")
    named = _NAMED_TAG.search(lead)
    if named and f"</{named[1]}>" in between:
        return ReasoningTags(f"<{named[1]}>", f"</{named[1]}>", between)
    return None


def find_switch(render: Callable[[Variables], str | None], answer_begins: str) -> Switch | None:
    """What switches reasoning, None where nothing does. `answer_begins` is the text behind which the last
    literal of a prompt stands."""
    if render(USUAL.on) != render(USUAL.off):
        return USUAL
    for switch in OTHERS:
        on, off = (render(told) for told in (switch.on, switch.off))
        if on and off and on.rpartition(answer_begins)[2] != off.rpartition(answer_begins)[2]:
            return switch
    return None
