"""A prompt with past turns and recalled passages, and what it costs."""

from ctxchat.domain.conversation import Section
from ctxchat.domain.cost import CostCurve
from ctxchat.domain.prompt import Piece, Prompt, SegmentKey
from ctxchat.service.plan import Costing

CURVE = CostCurve(k=0.0, a=0.01, b=0.0, c=0.02, e=0.0)


def piece(section: Section, tokens: int, message: str | None = None, turn: int | None = None) -> Piece:
    return Piece(
        section,
        section.value,
        tuple(range(tokens)),
        source=SegmentKey(message, 0) if message else None,
        owner=message,
        turn=turn,
    )


def with_passages(message: str, turn: int, *tokens: int) -> list[Piece]:
    """A message with recalled passages of so many tokens: labels of 3, a fence of 2, words of 10."""
    pieces: list[Piece] = []
    for count in tokens:
        pieces += [piece(Section.TEMPLATE, 3, message, turn), piece(Section.NOTES, count, message, turn)]
    if tokens:
        pieces.append(piece(Section.TEMPLATE, 2, message, turn))
    return [*pieces, piece(Section.QUESTION, 10, message, turn)]


def prompt_of(past: list[list[int]], asked: list[int]) -> Prompt:
    """A prompt whose past turns, and whose question, hold passages of these tokens. Its system text
    is 7 tokens, every answer 20."""
    pieces = [piece(Section.SYSTEM, 7)]
    for turn, tokens in enumerate(past, start=1):
        pieces += with_passages(f"q{turn}", turn, *tokens)
        pieces.append(piece(Section.HISTORY, 20, f"a{turn}", turn))
    pieces += with_passages("asked", len(past) + 1, *asked)
    return Prompt(tuple(pieces), window=1100, reserve=100, verbatim_turns=len(past))


def costing_of(prompt: Prompt, reused: int = 0) -> Costing:
    return Costing(prompt, reused, "f16", {"f16": 100, "q8_0": 60}, {"f16": CURVE, "q8_0": None})
