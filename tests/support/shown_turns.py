"""Events and receipts of turns that never ran, for the views that show them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ctxchat.domain.conversation import Finish, Section
from ctxchat.domain.events import (
    CostPredicted,
    ModelLoading,
    Prefilled,
    PromptBuilt,
    ReasoningGenerated,
    TextGenerated,
    TurnEvent,
    TurnFinished,
)
from ctxchat.domain.prompt import Dropped, Piece, Prompt
from ctxchat.domain.receipt import Failure, KvCost, Latency, Memory, Predicted, Receipt

KV = KvCost(
    cells=900, capacity=2048, reused=700, evaluated=112, bytes_per_token=23040, type_k="f16", type_v="f16"
)
PROMPT = Prompt(
    (
        Piece(Section.SYSTEM, "Be\nbrief.", tuple(range(30))),
        Piece(Section.QUESTION, "Why \x1b[31mnot?" + "?" * 80, tuple(range(782)), owner="m1", turn=5),
    ),
    window=8192,
    reserve=1024,
    verbatim_turns=4,
    dropped=(Dropped(Section.DATA, "a", 55, "over budget"),),
)


def receipt(answer: str = "An answer.", finish: Finish | None = Finish.STOP, **parts: object) -> Receipt:
    """A whole receipt, with some of its parts as given."""
    whole = Receipt(
        answer,
        finish,
        model_name="model",
        model_path="/m.gguf",
        session="s1",
        prompt=PROMPT,
        attention_pairs=2541840,
        kv=KV,
        memory=Memory(1, 2, 3, 4),
        latency=Latency(0.31, 0.0, 0.0, 0.41, 0.43, 2.1, 2.9, 273.0, 41.4),
        predicted=Predicted(),
        answer_tokens=87,
    )
    return replace(whole, **parts)  # type: ignore[arg-type]


def turn(
    texts: Iterable[str],
    *,
    reasoning: Iterable[str] = (),
    finish: Finish | None = Finish.STOP,
    **parts: object,
) -> Iterator[TurnEvent]:
    """A turn that reasons, answers in these texts, and ends."""
    texts, reasoning = list(texts), list(reasoning)
    yield ModelLoading(50, 100)
    yield PromptBuilt(PROMPT)
    yield CostPredicted(KV, Predicted())
    yield Prefilled(0, 112)
    yield Prefilled(112, 112)
    yield from map(ReasoningGenerated, reasoning)
    yield from map(TextGenerated, texts)
    yield TurnFinished(receipt("".join(texts), finish, reasoning="".join(reasoning) or None, **parts))


def failed(code: int, message: str) -> TurnFinished:
    """The end of a turn that got nowhere."""
    return TurnFinished(Receipt("", Finish.ERROR, error=Failure(code, message)))
