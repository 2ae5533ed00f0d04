"""A vocabulary of characters and a template of angle brackets: prompts that can be read by eye."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from ctxchat.domain.conversation import Role
from ctxchat.domain.model import ReasoningTags, Scaffold, TemplateBehaviour

CONTROL = {"<s>": 1, "<end>": 2, "<user>": 3, "<assistant>": 4, "<system>": 5}
FIRST_CHARACTER = 10


class CharacterVocabulary:
    """One id a character; the texts of CONTROL are one id each where they are read as such."""

    fingerprint = "characters"
    exact = True
    remote = False
    begin = (CONTROL["<s>"],)

    def tokenize(self, text: str, *, special: bool, after: int | None) -> tuple[int, ...]:
        parts = re.split("(" + "|".join(map(re.escape, CONTROL)) + ")", text) if special else [text]
        ids: list[int] = []
        for part in parts:
            if special and part in CONTROL:
                ids.append(CONTROL[part])
            else:
                ids += [FIRST_CHARACTER + ord(c) for c in part]
        return tuple(ids)

    def text(self, ids: Iterable[int]) -> str:
        names = {number: name for name, number in CONTROL.items()}
        return "".join(names.get(i) or chr(i - FIRST_CHARACTER) for i in ids)


class BracketTemplate:
    """`<role>message<end>` for each message, and `<assistant>` for the answer to come."""

    def __init__(
        self,
        *,
        takes_system: bool = True,
        strips_reasoning: bool = False,
        reasons: bool = False,
        opens: bool = False,
    ) -> None:
        """With `opens` prompts end inside reasoning."""
        self._opens = opens
        self.behaviour = TemplateBehaviour(
            extends=not strips_reasoning,
            strips_reasoning=strips_reasoning,
            trims=False,
            moves_system=False,
            takes_system=takes_system,
            dated=False,
            switches_thinking=False,
            reasoning=ReasoningTags("<think>", "</think>") if reasons or opens else None,
        )

    def scaffold(
        self, roles: Sequence[Role], *, at: datetime, think: bool | None, answer: bool = True
    ) -> Scaffold:
        assert self.behaviour.takes_system or Role.SYSTEM not in roles
        spoken = [role for role in roles if role is not Role.SYSTEM]
        assert spoken == [(Role.USER, Role.ASSISTANT)[i % 2] for i in range(len(spoken))]
        literals = [""]
        for role in roles:
            literals[-1] += f"<{role}>"
            literals.append("<end>")
        opens = self._opens and answer
        literals[-1] += "<assistant>" if answer else ""
        literals[-1] += "<think>" if opens else ""
        return Scaffold(tuple(literals), opens_reasoning=opens)
