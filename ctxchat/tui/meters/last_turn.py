"""What the last turn cost, and how near its forecast was."""

from collections.abc import Iterator

from textual.content import Content

from ctxchat.display import amounts
from ctxchat.domain.receipt import Memory, Receipt
from ctxchat.tui.meters.drawing import QUIET, STRONG, flowed
from ctxchat.tui.meters.meter import Meter, View

_NAME_COLUMNS = 13
_COLUMNS_FROM = 25

_Row = tuple[str, str, str]
"""A name, its value, and what is said behind the value."""


class LastTurn(Meter):
    """The receipt in short."""

    TITLE = "Last turn"

    def drawn(self, view: View, width: int) -> list[Content]:
        receipt = view.figures.last
        if receipt is None:
            return [Content.styled("no turn yet"[:width], QUIET)]
        rows = [_line(row, width) for row in _rows(receipt)]
        return [*rows, *(flowed(_memory(receipt.memory), width) if receipt.memory else [])]


def error_of(predicted: float | None, actual: float | None) -> str:
    """By how much a forecast was off, in percent of what it took, with its sign; empty where either is
    not known."""
    if predicted is None or not actual:
        return ""
    return f"{round(100 * (predicted - actual) / actual):+d} %".replace("-", "−")


def _line(row: _Row, width: int) -> Content:
    name, value, behind = row
    named = name.ljust(_NAME_COLUMNS) if width >= _COLUMNS_FROM else f"{name.strip()} "
    said = Content.assemble((named, QUIET), (value, STRONG), (f" {behind}", QUIET))
    return said.rstrip().truncate(width, ellipsis=True)


def _rows(receipt: Receipt) -> Iterator[_Row]:
    latency, kv = receipt.latency, receipt.kv
    yield "first token", amounts.seconds(latency.first_token), ""
    total = receipt.prompt.total if receipt.prompt else None
    yield "prompt", _prompt(receipt), "tokens"
    if kv and total:
        yield "  from cache", amounts.count(kv.reused), f"({amounts.percent(kv.reused, total)})"
    yield "answer", amounts.count(receipt.answer_tokens), "tokens"
    if receipt.notes or latency.retrieval:
        yield "recall", f"{len(receipt.notes):,}", _recall(receipt)
    yield "prefill", amounts.seconds(latency.prefill), ""
    predicted = receipt.predicted.prefill
    yield "  foretold", amounts.seconds(predicted), error_of(predicted, latency.prefill)
    if receipt.predicted.cost or receipt.cost:
        yield "cost", amounts.money(receipt.cost), ""
        yield "  in all", amounts.money(receipt.spent), ""


def _prompt(receipt: Receipt) -> str:
    prompt = receipt.prompt
    return amounts.estimate(prompt.total, exact=prompt.exact) if prompt else amounts.DASH


def _recall(receipt: Receipt) -> str:
    notes = "note" if len(receipt.notes) == 1 else "notes"
    seconds = receipt.latency.retrieval
    return notes if seconds is None else f"{notes}, {1000 * seconds:.0f} ms"


def _memory(memory: Memory) -> Iterator[Content]:
    """In the order in which two of them fit into a line."""
    held = {"weights": memory.weights, "compute": memory.compute, "KV": memory.kv}
    for name, size in (held | {"resident": memory.resident}).items():
        yield Content.assemble((f"{name} ", QUIET), amounts.size(size))
    for device in memory.devices:
        free = f", {amounts.size(device.free)} free"
        yield Content.assemble((f"{device.name} ", QUIET), amounts.size(device.used), (free, QUIET))
