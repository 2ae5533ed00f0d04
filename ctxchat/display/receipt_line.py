"""What stands under an answer: one short line of its receipt."""

from ctxchat.display import amounts
from ctxchat.domain.conversation import Finish
from ctxchat.domain.receipt import Receipt

ENDINGS = {
    Finish.LENGTH: "cut at its limit",
    Finish.CANCELLED: "stopped",
    Finish.ERROR: "broken off",
}


def receipt_line(receipt: Receipt) -> str:
    """Tokens in and out, what of the prompt was reused, the waits, and how it ended where it did not
    end by itself."""
    parts = []
    if receipt.prompt:
        parts.append(f"{amounts.estimate(receipt.prompt.total, exact=receipt.prompt.exact)} in")
    if receipt.answer_tokens is not None:
        parts.append(f"{receipt.answer_tokens:,} out")
    if receipt.kv:
        disk = f" ({receipt.kv.restored:,} from disk)" if receipt.kv.restored else ""
        parts.append(f"{receipt.kv.reused:,} reused{disk}")
    if receipt.latency.first_token is not None:
        parts.append(f"first token {amounts.seconds(receipt.latency.first_token)}")
    if receipt.latency.decode_rate is not None:
        parts.append(amounts.rate(receipt.latency.decode_rate))
    if receipt.cost is not None:
        parts.append(amounts.money(receipt.cost))
    if receipt.notes:
        cited = sum(note.cited for note in receipt.notes)
        parts.append(f"{len(receipt.notes)} recalled, {cited} cited")
    if receipt.finish in ENDINGS:
        parts.append(ENDINGS[receipt.finish])
    return " · ".join(parts)
