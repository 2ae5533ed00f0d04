"""`bench` measures, shows a table with a plot, and prints the object of the contract."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxchat.display.images import svg
from ctxchat.display.plots import cost_plot, drawn
from ctxchat.domain.cost import CostCurve
from tests.cli.conftest import Ran
from tests.support.tiny_gguf import write_tiny_gguf

Run = Callable[..., Ran]
CURVE = CostCurve(k=0.1, a=0.005, b=2e-6, c=0.01, e=5e-6)
POINTS = [(n, CURVE.prefill(n) * 1.1) for n in (512, 1024, 2048)]
KEYS = ["n", "prefill", "prefill_tokens_per_second", "decode_tokens_per_second", "kv_bytes"]


@pytest.fixture
def tiny(home: Path) -> str:
    return str(write_tiny_gguf(home / "tiny.gguf"))


def test_the_object_has_the_keys_of_the_contract_and_every_number_is_measured(run: Run, tiny: str) -> None:
    threads = ("--threads", "1", "--threads-batch", "1")
    ended = run("bench", "-m", tiny, "--ctx-size", "1024", "--json", *threads)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    seen = json.loads(ended.stdout)
    assert list(seen) == ["model", "machine", "points", "curve", "speculation"]
    assert [batch["n"] for batch in seen["speculation"]["batches"]] == [1, 2, 3, 4, 8]
    assert seen["speculation"]["best"] > 0
    assert [point["n"] for point in seen["points"]] == [512, 1024]
    assert all(list(p) == [*KEYS, "attention_pairs", "save", "restore"] for p in seen["points"])
    assert all(point["save"] > 0 and point["restore"] > 0 for point in seen["points"])
    assert list(seen["curve"]) == ["k", "a", "b", "c", "e"]
    assert min(seen["curve"].values()) >= 0


def test_what_was_measured_foretells_the_next_question(run: Run, tiny: str, home: Path) -> None:
    threads = ("--threads", "1", "--threads-batch", "1")
    ended = run("bench", "-m", tiny, "--quick", "--ctx-size", "512", "--svg", "plot.svg", *threads)
    assert ended.returncode == 0, ended.stderr
    assert "TOKENS" in ended.stdout
    assert "drafts (--speculation)" in ended.stdout
    assert "● measured   · fitted" in ended.stdout
    assert ET.parse(home / "plot.svg").getroot().tag.endswith("svg")
    receipt = json.loads(
        run("ask", "-m", tiny, "--ctx-size", "512", "--max-tokens", "2", "--json", *threads, "hi").stdout
    )
    assert receipt["predicted"]["prefill"] > 0
    assert receipt["predicted"]["decode_per_token"] > 0


def test_a_question_is_the_first_and_the_second_is_foretold(run: Run, tiny: str) -> None:
    asked = ("ask", "-m", tiny, "--max-tokens", "9", "--json", "word " * 60)
    first, second = (json.loads(run(*asked).stdout)["predicted"] for _ in range(2))
    assert first == {"prefill": None, "decode_per_token": None}
    assert second["prefill"] > 0
    plan = json.loads(run("plan", "-m", tiny, "--json", "word " * 60).stdout)
    assert plan["predicted"]["prefill"] > 0
    assert {choice["prefill"] is None for choice in plan["alternatives"] if choice["type_k"] == "f16"} == {
        False
    }


def test_no_model_and_no_place_for_the_plot_are_said_in_one_line(run: Run, tiny: str) -> None:
    ended = run("bench", "-m", "/nowhere/none.gguf")
    assert ended.returncode == 3
    assert ended.stderr.count("\n") == 1
    ended = run("bench", "-m", tiny, "--ctx-size", "512", "--svg", "nowhere/plot.svg")
    assert ended.returncode == 6
    assert "nowhere/plot.svg" in ended.stderr


def test_a_plot_has_every_point_and_keeps_to_its_width() -> None:
    lines = drawn(cost_plot(POINTS, CURVE, "model"))
    assert sum(line.count("●") for line in lines[:-1]) == len(POINTS)
    assert "2,048 tokens" in lines[-2]
    assert max(map(len, lines)) <= 80
    assert drawn(cost_plot([], CURVE, "model")) == []
    assert drawn(cost_plot(POINTS, None, "model"))


@given(st.floats(min_value=1e-6, max_value=1e5))
def test_the_height_is_round_and_every_point_is_below_it(seconds: float) -> None:
    lines = drawn(cost_plot([(512, seconds / 2), (1024, seconds)], None, "model"))
    assert sum(line.count("●") for line in lines[:-1]) == 2
    labels = [line.partition("┤")[0].strip() for line in lines if "┤" in line]
    assert len(set(labels)) == len(labels) == 5
    assert labels[-1] == "0 s"


def test_an_image_names_its_model_safely() -> None:
    root = ET.fromstring(svg(cost_plot(POINTS, CURVE, "<model> & more")))
    assert len([part for part in root.iter() if part.tag.endswith("title")]) == len(POINTS)
    assert "<model> & more" in "".join(root.itertext())
    assert ET.fromstring(svg(cost_plot([], None, "nothing")))
