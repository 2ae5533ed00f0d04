"""Attached text as the model sees it: fenced and labelled, before the question."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ctxchat.domain.conversation import Message, Section, Segment


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
        fence = fence_for(attachment.text)
        ending = "" if attachment.text.endswith("\n") else "\n"
        segments += [
            Segment(Section.TEMPLATE, f"{fence}{one_line(attachment.label)}\n"),
            Segment(Section.DATA, attachment.text),
            Segment(Section.TEMPLATE, f"{ending}{fence}\n\n"),
        ]
    return (*segments, Segment(Section.QUESTION, question))


def reclaimable(segments: Sequence[Segment]) -> range:
    """Where in a message its data and notes stand, with the fences around them: what is left out of
    it once they are not sent any more. Pins stand before, the words of the question behind."""
    held = [at for at, segment in enumerate(segments) if segment.section in (Section.DATA, Section.NOTES)]
    return range(held[0] - 1, held[-1] + 2) if held else range(0)


def attached_texts(segments: Sequence[Segment]) -> list[tuple[str, str]]:
    """The label and the text of everything attached to a message."""
    return [
        (before.text.removeprefix(fence_for(segment.text)).rstrip("\n"), segment.text)
        for before, segment in pairwise(segments)
        if segment.section is Section.DATA
    ]


def still_attached(messages: Sequence[Message], reclaimed: str | None) -> Sequence[Message]:
    """The messages behind the one that was reclaimed last: theirs are the notes and data that are sent."""
    ids = [message.id for message in messages]
    return messages[ids.index(reclaimed) + 1 :] if reclaimed in ids else messages


def fence_for(text: str) -> str:
    """Backticks longer than any run in the text, so that no text can close its own fence."""
    runs = re.findall(r"`{3,}", text)
    return "`" * max(3, 1 + max(map(len, runs), default=0))


def one_line(label: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in label)
