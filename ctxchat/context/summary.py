"""Summary blocks: prose within a room, and beside it the facts that prose must not lose."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ctxchat.context.facts import Count, Fact, chosen, facts_of, merged, ranked
from ctxchat.context.sentences import first_sentence, pieces
from ctxchat.domain.conversation import Message, Role, Section
from ctxchat.domain.summary import SummaryBlock, SummaryOrigin

_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_LEAD = re.compile(
    r"(?:[#*_ ]{0,6}(?:(?:sure|okay|certainly)[,!.][ ])?(?:here(?:['’]s|[ ]is)[ ])?(?:a[ ]|the[ ])?"
    r"(?:(?:brief|short|concise)[ ]){0,2}summary(?:[ ]of[ ](?:the|our|this)[ ](?:above[ ])?conversation)?"
    r"(?:[ ](?:above|so[ ]far))?(?:[*_ ]{0,4}:[*_ ]{0,4}|[*_ ]{0,4}(?=\n)))\s*",
    re.IGNORECASE,
)
_TEMPLATE_TOKENS = re.compile(
    r"<\|[^|<>\n]{0,40}\|>|<｜[^｜\n]{0,40}｜>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>"
    r"|</?think(?:ing)?>|<(?:bos|eos|pad|unk)>|^(?:user|assistant|human|system):?[ ]*$|\[(?:unused|PAD)",
    re.IGNORECASE | re.MULTILINE,
)
_REFUSAL = re.compile(
    r"[\"'(]?(?:(?:i['’]m|i[ ]am)[ ](?:so[ ]|very[ ]|really[ ])?(?:sorry|afraid|unable|not[ ]able)"
    r"|(?:sorry|apologies|unfortunately)\b[^.\n]{0,40}\bi\b|i[ ]apologi[sz]e"
    r"|i[ ](?:can['’]?t|can[ ]?not|won['’]t|will[ ]not|do[ ]not[ ]have|don['’]t[ ]have)\b"
    r"|(?:as|i['’]m|i[ ]am)[ ](?:just[ ]|only[ ])?(?:an?[ ])(?:ai|artificial|language|large[ ]language)\b"
    r"|(?:please|could[ ]you|can[ ]you)\b[^.\n]{0,30}\b(?:provide|share|give)\b"
    r"|(?:hello|hi|sure|of[ ]course)?[!,. ]{0,3}(?:how|what)[ ](?:can|may|would)[ ](?:i|you)\b)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[぀-ヿ㐀-鿿가-힯]|[^\W_]+(?:['’][^\W_]+)?")
_GRAM = 4
_WIDTHS = (24, 12, 7)


def usable(text: str, source: str) -> str | None:
    """A model's summary of `source`, cleaned; None where it is none: empty, a refusal, a loop, not
    words, longer than what it sums up, or with tokens of a chat template in it."""
    cleaned = _LEAD.sub("", _THOUGHT.sub("", text).strip(), count=1).strip()
    cleaned = re.sub(r"\n\s*\n", "\n", cleaned)
    if len(cleaned) > len(source) or _TEMPLATE_TOKENS.search(cleaned) or _REFUSAL.match(cleaned):
        return None
    words = [word.casefold() for word in _WORD.findall(cleaned)]
    if len(words) < 3 or not _mostly_words(cleaned, words) or _repeats(words):
        return None
    return cleaned


def capped(text: str, room_tokens: int, count: Count) -> str:
    """As many whole sentences from the beginning as the room holds; words of the first where it
    holds no sentence, and nothing where it holds no letter."""
    parts = pieces(text)
    fitting = _most(len(parts), lambda n: count("".join(parts[:n]).strip()) <= room_tokens)
    if fitting:
        return "".join(parts[:fitting]).strip()
    return _cut(text.strip(), room_tokens, count)


def digest(messages: Sequence[Message], room_tokens: int, count: Count) -> str:
    """What stands for a summary without a model: a line a turn, oldest first, of the first words of
    its question and its answer. Lines get shorter, then fewer, all over the conversation. Never
    empty while a letter fits."""
    lines: list[str] = []
    for width in _WIDTHS:
        lines = _lines(messages, width) or ["(nothing was said)"]
        whole = "\n".join(lines)
        if count(whole) <= room_tokens:
            return whole
    return _thinned([f"{line}\n" for line in lines], room_tokens, count)


def block_of(
    messages: Sequence[Message],
    turns: int,
    written: str | None,
    room_tokens: int,
    count: Count,
    id: str,  # noqa: A002 — the block's own word
) -> SummaryBlock:
    """A block for messages of which `turns` are turns, its text within `room_tokens`. `written` is
    the model's summary; a digest takes its place where it cannot be used."""
    source = "\n".join(_all_said(message) for message in messages)
    prose = None if written is None else usable(written, source)
    empty = SummaryBlock(id, messages[0].id, messages[-1].id, turns, "", origin=_origin(prose))
    facts = ranked(facts_of(messages))
    if prose is None:
        return _filled(empty, facts, lambda room: digest(messages, room, count), room_tokens, count)
    return _filled(empty, facts, lambda room: capped(prose, room, count), room_tokens, count)


def merged_block(
    blocks: Sequence[SummaryBlock],
    room_tokens: int,
    count: Count,
    id: str,  # noqa: A002 — the block's own word
    written: str | None = None,
) -> SummaryBlock:
    """One block for neighbours, oldest first. `written` is a model's summary of theirs; without a
    usable one their prose is thinned evenly, so that old turns fade no faster than new ones."""
    source = "\n".join(block.text for block in blocks)
    prose = None if written is None else usable(written, source)
    origins = {block.origin for block in blocks}
    origin = SummaryOrigin.MODEL if prose else origins.pop() if len(origins) == 1 else SummaryOrigin.DIGEST
    turns = sum(block.turns for block in blocks)
    empty = SummaryBlock(id, blocks[0].first, blocks[-1].last, turns, "", origin=origin)
    if prose is not None:
        return _filled(empty, merged(blocks), lambda room: capped(prose, room, count), room_tokens, count)
    parts = [part for block in blocks for part in pieces(f"{block.prose}\n") if part.strip()]
    return _filled(empty, merged(blocks), lambda room: _thinned(parts, room, count), room_tokens, count)


def _origin(prose: str | None) -> SummaryOrigin:
    return SummaryOrigin.DIGEST if prose is None else SummaryOrigin.MODEL


def _filled(
    block: SummaryBlock, facts: Iterable[Fact], prose: Callable[[int], str], room: int, count: Count
) -> SummaryBlock:
    """The block with facts in up to half of the room and prose in the rest. The whole is counted
    again at the end: tokens of parts do not always add up to those of their sum."""
    kept, left = chosen(facts, room // 2, count)
    block = replace(block, facts=kept, left_out=left)
    rest = room - (count(f"\n{block.text}") if kept else 0)
    while True:
        block = replace(block, prose=prose(rest) if rest > 0 else "")
        over = count(block.text) - room
        if over <= 0 or not block.text:
            return block
        if block.prose:
            rest -= over
        else:
            *others, last = block.facts
            block = replace(block, facts=tuple(others), left_out=(last, *block.left_out))


def _lines(messages: Sequence[Message], width: int) -> list[str]:
    lines: list[str] = []
    for message in messages:
        said = _shown(message, width)
        if message.role is Role.USER:
            lines.append(f"User: {said or '(attached a text)'}")
        elif said:
            said = f"Answer: {said}"
            lines[-1:] = [f"{lines[-1]} {said}"] if lines else [said]
    return lines


def _shown(message: Message, width: int) -> str:
    sentence = first_sentence(message.spoken[:2_000]) or message.spoken[:2_000].strip()
    words = sentence.split()
    shown = " ".join(words[:width])[: 8 * width]
    return shown if shown == sentence or len(shown) == len(" ".join(words)) else f"{shown}…"


def _thinned(parts: Sequence[str], room: int, count: Count) -> str:
    """As many parts as the room holds, evenly spaced from the first to the last."""

    def some(number: int) -> str:
        step = (len(parts) - 1) / max(1, number - 1)
        return "".join(parts[round(n * step)] for n in range(number)).strip()

    fitting = _most(len(parts), lambda n: count(some(n)) <= room)
    if fitting:
        return some(fitting)
    return _cut(parts[0].strip(), room, count) if parts else ""


def _cut(text: str, room: int, count: Count) -> str:
    """The first words that fit, or the first letters of the first word."""
    text = text[: 64 * max(1, room)]
    words = re.findall(r"\S+\s*", text)
    fitting = _most(len(words), lambda n: count("".join(words[:n]).strip()) <= room)
    if fitting:
        return "".join(words[:fitting]).strip()
    return text[: _most(len(words[0]), lambda n: count(text[:n]) <= room)] if words else ""


def _most(limit: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to `limit` that fits, found as if fewer always fitted too."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    while low and not fits(low):
        low -= 1
    return low


def _mostly_words(text: str, words: Sequence[str]) -> bool:
    letters = sum(character.isalpha() or character.isspace() for character in text)
    return letters >= 0.6 * len(text) and max(map(len, words)) <= 60


def _repeats(words: Sequence[str]) -> bool:
    """Whether a run of words comes again and again, or one word is most of the text."""
    if len(words) >= 8 and max(Counter(words).values()) > 0.4 * len(words):
        return True
    grams = [tuple(words[n : n + _GRAM]) for n in range(len(words) - _GRAM + 1)]
    if len(grams) < 2 * _GRAM:
        return False
    return len(set(grams)) < 0.7 * len(grams) or max(Counter(grams).values()) > max(3, len(grams) / 12)


def _all_said(message: Message) -> str:
    """What a summary of it may draw on: what was said and what was attached."""
    attached = (s.text for s in message.segments if s.section is Section.DATA)
    return "\n".join((*attached, message.spoken))
