"""Attached text as the model sees it: fenced and labelled, before the question."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ctxchat.domain.conversation import Section, Segment


@dataclass(frozen=True, slots=True)
class Attachment:
    """Text that came with a question. `label` is a path, or `stdin`. `condensed_from` counts the
    characters of a text that was too long to be held, and of which `text` is what reading left."""

    label: str
    text: str
    condensed_from: int | None = None


def question_segments(question: str, attachments: Iterable[Attachment]) -> tuple[Segment, ...]:
    """The segments of a user message: each attachment in its fence, then the question."""
    segments: list[Segment] = []
    for attachment in attachments:
        fence = _fence(attachment.text)
        ending = "" if attachment.text.endswith("\n") else "\n"
        segments += [
            Segment(Section.TEMPLATE, f"{fence}{_one_line(attachment.label)}\n"),
            Segment(Section.DATA, attachment.text),
            Segment(Section.TEMPLATE, f"{ending}{fence}\n\n"),
        ]
    return (*segments, Segment(Section.QUESTION, question))


def _fence(text: str) -> str:
    """Backticks longer than any run in the text, so that no text can close its own fence."""
    runs = re.findall(r"`{3,}", text)
    return "`" * max(3, 1 + max(map(len, runs), default=0))


def _one_line(label: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in label)
