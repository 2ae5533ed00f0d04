"""Receipts for people are exact, clean, and dashes where nothing is known."""

from dataclasses import replace

import pytest

from ctxchat.display import amounts
from ctxchat.display.ledger import aligned, ledger, spent, usage_line
from ctxchat.domain.conversation import Finish, Section
from ctxchat.domain.prompt import Piece, Prompt
from ctxchat.domain.receipt import DeviceMemory, Memory, Predicted, Receipt
from tests.support.shown_turns import KV, receipt


def test_usage_is_one_line_with_tokens_in_and_out_first() -> None:
    assert usage_line(receipt()) == (
        "812 in, 87 out · 700 reused, 112 new · system 30, question 782 · prefill 0.41 s (273 tok/s) · "
        "decode 2.10 s (41.4 tok/s) · KV 900 cells 20.7 MB"
    )


def test_what_is_not_known_is_a_dash() -> None:
    assert usage_line(Receipt("", Finish.ERROR)) == "– in, – out"
    assert "KV" not in ledger(Receipt("", Finish.ERROR))


def test_the_ledger_lists_every_piece_and_its_sums() -> None:
    lines = ledger(receipt(kv=replace(KV, miss="reuse ended at the question"))).splitlines()
    assert lines[0].split() == ["section", "id", "turn", "tokens", "text"]
    assert lines[1].split() == ["system", "30", "Be", "brief."]
    assert lines[2].split()[:5] == ["question", "m1", "5", "782", "Why"]
    assert lines[2].endswith("…")
    assert "\x1b" not in lines[2]
    text = "\n".join(lines)
    for said in (
        "total",
        "812",
        "7,168",
        "left out: data a, 55 tokens: over budget",
        "reuse ended at the question",
    ):
        assert said in text
    assert "700 reused, 0 of them from disk, 112 new" in text


def test_what_was_foretold_stands_beside_what_was_measured() -> None:
    told = dict(spent(receipt(predicted=Predicted(0.5, 0.025))))
    assert told["prefill"] == "0.41 s (273 tok/s), predicted 0.50 s"
    assert told["decode"] == "2.10 s (41.4 tok/s), predicted 40.0 tok/s"
    assert dict(spent(receipt()))["decode"].endswith("predicted – tok/s")


def test_a_heavy_part_is_told_with_its_remedy() -> None:
    pieces = (
        Piece(Section.HISTORY, "long", (1,) * 600, owner="m1", turn=1),
        Piece(Section.SYSTEM, "short", (1,) * 20),
        Piece(Section.TEMPLATE, "scaffold", (1,) * 400),
    )
    told = receipt(prompt=Prompt(pieces, window=1224, reserve=224, verbatim_turns=1))
    heavy = [line for line in ledger(told).splitlines() if line.startswith("heavy")]
    assert len(heavy) == 1
    assert "600 tokens" in heavy[0]
    assert "ctxchat compact" in heavy[0]


def test_columns_are_of_one_width() -> None:
    rows = [("a", "10"), ("bcd", "9")]
    assert list(aligned(rows, right=(1,))) == ["a    10", "bcd   9"]


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, "–"), (0, "0 B"), (999, "999 B"), (23_040, "23.0 kB"), (999_960, "1.0 MB"), (3e15, "3000.0 TB")],
)
def test_sizes_are_decimal(number: float | None, text: str) -> None:
    assert amounts.size(number) == text


@pytest.mark.parametrize(
    ("number", "text"), [(None, "–"), (0.414, "0.41 s"), (42.04, "42.0 s"), (125.9, "2 min 5 s")]
)
def test_seconds_read_well(number: float | None, text: str) -> None:
    assert amounts.seconds(number) == text


def test_what_lies_on_devices_stands_below_the_memory() -> None:
    held = Memory(1, 2, 3, 4, (DeviceMemory("CUDA0", 70_000_000_000, 5_200_000_000),))
    rows = list(spent(replace(receipt(), memory=held)))
    told = rows.index(("", "5.2 GB on CUDA0, 70.0 GB free beside it"))
    assert rows[told - 1][0] == "memory"
