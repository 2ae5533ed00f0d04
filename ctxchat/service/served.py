"""What a turn at a server costs there: as it is expected, and as the server then says."""

from collections.abc import Iterator, Sequence

from ctxchat.domain.events import Warned
from ctxchat.domain.ports import Model
from ctxchat.domain.prompt import Piece, Prompt
from ctxchat.domain.receipt import KvCost
from ctxchat.service.reuse import Reuse
from ctxchat.service.served_reuse import served_miss
from ctxchat.service.turn import Turn

CUT_BELOW = 0.5
"""A server that counts less than this share of an estimate has cut the prompt: estimates are nearer."""


def expected_kv(model: Model, prompt: Prompt) -> KvCost | None:
    """What a server is expected to have cached of a prompt, None where that is not known."""
    cached = model.prefixes.expected(prompt.ids) if model.prefixes else None
    return None if cached is None else _kv(prompt, cached, prompt.total)


def served_kv(turn: Turn, reuse: Reuse | None) -> KvCost | None:
    """What the server said it had cached, None where it did not say. `reuse` is how the prompt met what it
    was sent last in this conversation, None where that is not known."""
    prompt, usage = turn.prompt, turn.usage
    if prompt is None or usage is None or usage.cached is None:
        return None
    counted = prompt.total if usage.prompt is None else usage.prompt
    return _kv(
        prompt,
        usage.cached,
        counted + (turn.answer_tokens or 0),
        served_miss(prompt, usage.cached, reuse),
    )


def agreed(prompt: Prompt, last: Turn | None) -> tuple[int, int]:
    """For how many tokens a prompt agrees with the one sent last and its answer, and how many those were."""
    if last is None or last.prompt is None:
        return 0, 0
    done = last.generated
    sent = (*last.prompt.ids, *(done.reasoning_ids + done.text_ids if done else ()))
    pairs = enumerate(zip(prompt.ids, sent, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(prompt.total, len(sent))), len(sent)


def stretch_of(turn: Turn) -> float:
    """How many tokens of the server's count go into one that was estimated, 1 at the least."""
    prompt, counted = turn.prompt, turn.usage.prompt if turn.usage else None
    if prompt is None or prompt.exact or not counted or not prompt.total:
        return 1.0
    return max(1.0, counted / prompt.total)


def count_warnings(turn: Turn) -> Iterator[Warned]:
    """What the server's own count of the prompt says of what became of it."""
    prompt, counted = turn.prompt, turn.usage.prompt if turn.usage else None
    if prompt is None or counted is None or counted == prompt.total:
        return
    if not prompt.exact:
        if counted < CUT_BELOW * prompt.total:
            yield Warned(
                f"the server counted {counted:,} tokens where about {prompt.total:,} were sent: it seems to "
                "have cut the prompt in silence; raise its window, or set model.ctx_size to what it has"
            )
    elif counted < prompt.total:
        yield Warned(
            f"the server counted {counted:,} tokens and was sent {prompt.total:,}: it cut the prompt; "
            "raise its window, or set model.ctx_size to what it has"
        )
    else:
        yield Warned(
            f"the server counted {counted:,} tokens and was sent {prompt.total:,}: it put "
            f"{counted - prompt.total:,} of its own to them"
        )


def pieces_of(last: Turn | None) -> Sequence[Piece]:
    """What was sent last, in pieces."""
    return last.prompt.pieces if last is not None and last.prompt is not None else ()


def _kv(prompt: Prompt, cached: int, cells: int, miss: str | None = None) -> KvCost:
    reused = min(cached, prompt.total)
    return KvCost(
        cells=cells,
        capacity=None,
        reused=reused,
        evaluated=prompt.total - reused,
        bytes_per_token=None,
        type_k=None,
        type_v=None,
        miss=miss,
    )
