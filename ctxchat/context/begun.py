"""An answer that was cut, and is gone on with."""

from ctxchat.domain.conversation import Message, Segment
from ctxchat.domain.model import TemplateBehaviour
from ctxchat.domain.ports import Vocabulary

_CUT = "\ufffd"


def reasons_still(
    begun: Message | None, behaviour: TemplateBehaviour, vocabulary: Vocabulary, *, opens: bool
) -> bool:
    """Whether what comes next is reasoning: the prompt `opens` it, or the answer that was begun did, and has
    not come to its text."""
    if begun is None or begun.spoken or behaviour.reasoning is None:
        return opens and not (begun and begun.spoken)
    ids = [id_ for segment in begun.segments if segment.reasoning for id_ in segment.ids or ()]
    return (opens or bool(ids)) and behaviour.reasoning.closing not in vocabulary.text(ids)


def whole(begun: Message, rest: tuple[Segment, ...], vocabulary: Vocabulary) -> tuple[Segment, ...]:
    """The segments of an answer that was begun, and its rest: reasoning first, then text."""
    reasoning = [s for s in (*begun.segments, *rest) if s.reasoning]
    text = [s for s in (*begun.segments, *rest) if not s.reasoning]
    return tuple(_joint(parts, vocabulary) for parts in (reasoning, text) if parts)


def _joint(parts: list[Segment], vocabulary: Vocabulary) -> Segment:
    """Segments as one; a character that was cut in two is whole again where the ids are known."""
    ids = None if any(s.ids is None for s in parts) else tuple(i for s in parts for i in s.ids or ())
    text = "".join(segment.text for segment in parts)
    if ids is not None and any(segment.text.endswith(_CUT) for segment in parts[:-1]):
        text = vocabulary.text(ids)
    first = parts[0]
    return Segment(first.section, text, ids, first.reasoning)
