"""A receipt for people: one line of usage, and the whole ledger."""

from collections import Counter
from collections.abc import Iterable, Iterator

from ctxchat.display import amounts
from ctxchat.display.plain_text import one_line, shortened
from ctxchat.domain.conversation import Section
from ctxchat.domain.prompt import Piece, Prompt
from ctxchat.domain.receipt import Citation, FilterStep, KvCost, Latency, Memory, Receipt
from ctxchat.domain.speculation import Speculated

_TEXT_COLUMNS = 60

HEAVY = 0.25
"""The share of what may be used from which on a part of the prompt gets a remedy."""

_REMEDIES = {
    Section.SYSTEM: "a shorter system message takes less",
    Section.PINS: "ctxchat pin remove takes it out",
    Section.SUMMARY: "ctxchat compact edit shortens it",
    Section.HISTORY: "ctxchat compact folds it into a summary",
    Section.DATA: "attach less, or fold its turn with ctxchat compact",
    Section.QUESTION: "ask in fewer words",
}


def usage_line(receipt: Receipt) -> str:
    """Tokens in and out first, then where they went and what they cost."""
    parts = [f"{_total(receipt)} in, {amounts.count(receipt.answer_tokens)} out"]
    if receipt.kv:
        exact = receipt.prompt is None or receipt.prompt.exact
        new = amounts.estimate(receipt.kv.evaluated, exact=exact)
        parts.append(f"{receipt.kv.reused:,} reused, {new} new")
    if receipt.prompt:
        parts.append(_sections(receipt.prompt))
    latency = receipt.latency
    if latency.prefill is not None:
        parts.append(f"prefill {amounts.seconds(latency.prefill)} ({amounts.rate(latency.prefill_rate)})")
    if latency.decode is not None:
        parts.append(f"decode {amounts.seconds(latency.decode)} ({amounts.rate(latency.decode_rate)})")
    if receipt.kv:
        held = "at the server" if receipt.kv.capacity is None else amounts.size(receipt.kv.bytes)
        parts.append(f"KV {receipt.kv.cells:,} cells {held}")
    if receipt.cost is not None:
        parts.append(amounts.money(receipt.cost))
    return " · ".join(parts)


def ledger(receipt: Receipt) -> str:
    """Every piece of the prompt, its sums, and what the turn cost."""
    return "\n".join(_lines(receipt)) + "\n"


def heavy(prompt: Prompt) -> dict[tuple[Section, str | None], int]:
    """Tokens of each heavy part, by its section and its owner, the heaviest first."""
    weights: Counter[tuple[Section, str | None]] = Counter()
    for piece in prompt.pieces:
        weights[piece.section, piece.owner] += len(piece.ids)
    least = HEAVY * prompt.usable
    return {
        part: tokens for part, tokens in weights.most_common() if part[0] in _REMEDIES and tokens >= least
    }


def spent(receipt: Receipt) -> Iterator[tuple[str, str]]:
    """What the turn cost: a word, and what is said of it; no word where it goes on from the line above."""
    yield "model", receipt.model_path or amounts.DASH
    yield "conversation", receipt.session or amounts.DASH
    if receipt.prompt:
        yield "window", f"{receipt.prompt.window:,} tokens, {receipt.prompt.reserve:,} kept for the answer"
    yield "answer", f"{amounts.count(receipt.answer_tokens)} tokens"
    yield "attention", f"{amounts.count(receipt.attention_pairs)} pairs"
    if receipt.prompt and receipt.counted not in (None, receipt.prompt.total):
        yield "server", _counted(receipt.prompt, receipt.counted)
    if receipt.kv:
        yield from _kv_rows(receipt.kv)
    if receipt.memory:
        yield "memory", _memory(receipt.memory)
        for device in receipt.memory.devices:
            yield (
                "",
                f"{amounts.size(device.used)} on {device.name}, {amounts.size(device.free)} free beside it",
            )
    latency, foretold = receipt.latency, receipt.predicted
    yield "prefill", _foretold(latency.prefill, latency.prefill_rate, amounts.seconds(foretold.prefill))
    per_token = foretold.decode_per_token
    expected = amounts.rate(1 / per_token if per_token else None)
    yield "decode", _foretold(latency.decode, latency.decode_rate, expected)
    if receipt.speculation:
        yield "drafts", _speculated(receipt.speculation)
    yield "time", _time(latency)
    yield from _cost(receipt)


def aligned(rows: Iterable[tuple[str, ...]], right: tuple[int, ...] = ()) -> Iterator[str]:
    """Rows as lines with columns of one width; those numbered in `right` are right-aligned."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _total(receipt: Receipt) -> str:
    prompt = receipt.prompt
    return amounts.estimate(prompt.total, exact=prompt.exact) if prompt else amounts.DASH


def _sections(prompt: Prompt) -> str:
    return ", ".join(
        f"{section} {amounts.estimate(tokens, exact=prompt.exact)}"
        for section, tokens in prompt.sections.items()
        if tokens
    )


def _lines(receipt: Receipt) -> Iterator[str]:
    if receipt.prompt:
        yield from _prompt_lines(receipt.prompt)
        yield ""
    if receipt.filters:
        yield from aligned([("filter", "before", "after"), *map(_filter_row, receipt.filters)], right=(1, 2))
        yield ""
    if receipt.notes:
        head = ("note", "score", "tokens", "source", "cited")
        yield from aligned([head, *map(_note_row, receipt.notes)], right=(1, 2))
        yield ""
    yield from aligned(spent(receipt))


def _prompt_lines(prompt: Prompt) -> Iterator[str]:
    head = ("section", "id", "turn", "tokens", "text")
    yield from aligned([head, *map(_piece_row, prompt.pieces)], right=(2, 3))
    yield ""
    about = "" if prompt.exact else "about "
    sums = [(section.value, f"{tokens:,}") for section, tokens in prompt.sections.items() if tokens]
    sums.append(("total", f"{about}{prompt.total:,}"))
    sums.append(("may be used", f"{prompt.usable:,}"))
    yield from aligned(sums, right=(1,))
    yield from _remedies(prompt)
    for dropped in prompt.dropped:
        yield f"left out: {dropped.section} {dropped.id}, {dropped.tokens:,} tokens: {dropped.reason}"


def _remedies(prompt: Prompt) -> Iterator[str]:
    """A line for each heavy part, with what would make it lighter."""
    for (section, owner), tokens in heavy(prompt).items():
        share = f"{tokens / prompt.usable:.0%} of what may be used"
        yield f"heavy: {section} {owner or ''} {tokens:,} tokens, {share}: {_REMEDIES[section]}"


def _piece_row(piece: Piece) -> tuple[str, ...]:
    turn = "" if piece.turn is None else str(piece.turn)
    text = shortened(piece.text, _TEXT_COLUMNS)
    return (piece.section.value, piece.owner or "", turn, f"{len(piece.ids):,}", text)


def _filter_row(step: FilterStep) -> tuple[str, ...]:
    before, after = (amounts.estimate(number, exact=step.exact) for number in (step.before, step.after))
    return (step.rule, before, after)


def _note_row(note: Citation) -> tuple[str, ...]:
    score = amounts.DASH if note.score is None else f"{note.score:.2f}"
    return (note.label, score, f"{note.tokens:,}", one_line(note.source or amounts.DASH), _cited(note))


def _cited(note: Citation) -> str:
    if not note.cited:
        return ""
    if note.id is None:
        return "cited, and there is no such note"
    return "cited" if note.overlaps else "cited, and the answer shares no words with it"


def _kv_rows(kv: KvCost) -> Iterator[tuple[str, str]]:
    yield "KV", _cells(kv)
    where = " at the server" if kv.capacity is None else f", {kv.restored:,} of them from disk"
    yield "reuse", f"{kv.reused:,} reused{where}, {kv.evaluated:,} new"
    if kv.miss:
        yield "", kv.miss


def _counted(prompt: Prompt, counted: int) -> str:
    """The server's own count of the prompt, and why it is another."""
    why = (
        "it is not the prompt that was sent"
        if prompt.exact
        else "its chat template and its tokenizer are not known here"
    )
    return f"counted {counted:,} tokens, {amounts.estimate(prompt.total, exact=prompt.exact)} here: {why}"


def _cost(receipt: Receipt) -> Iterator[tuple[str, str]]:
    """What it cost in money, where a server has prices."""
    foretold = receipt.predicted.cost
    if receipt.cost is None and foretold is None:
        return
    spent = f", {amounts.money(receipt.spent)} since the start" if receipt.spent else ""
    yield "cost", f"{amounts.money(receipt.cost)}, the prompt predicted {amounts.money(foretold)}{spent}"


def _cells(kv: KvCost) -> str:
    if kv.capacity is None or kv.bytes_per_token is None:
        return f"{kv.cells:,} cells at the server"
    return (
        f"{kv.cells:,} of {kv.capacity:,} cells, {amounts.size(kv.bytes)} "
        f"({kv.bytes_per_token:,} bytes a token, {kv.type_k} keys, {kv.type_v} values)"
    )


def _memory(memory: Memory) -> str:
    return (
        f"weights {amounts.size(memory.weights)}, KV {amounts.size(memory.kv)}, "
        f"compute {amounts.size(memory.compute)}, resident {amounts.size(memory.resident)}"
    )


def _foretold(actual: float | None, rate: float | None, predicted: str) -> str:
    return f"{amounts.seconds(actual)} ({amounts.rate(rate)}), predicted {predicted}"


def _speculated(speculated: Speculated) -> str:
    said = f"{speculated.drafted:,} tokens looked up, {speculated.accepted:,} of them right"
    return said if speculated.gain is None else f"{said}: {speculated.gain:.2f} times as quick"


def _time(latency: Latency) -> str:
    return (
        f"load {amounts.seconds(latency.load)}, first token {amounts.seconds(latency.first_token)}, "
        f"in all {amounts.seconds(latency.total)}"
    )
