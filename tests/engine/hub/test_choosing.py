"""Which files of a repository are pulled, and where what is named names none."""

import shutil
from pathlib import Path

import pytest

from ctxchat.domain.errors import ModelError, UsageError
from ctxchat.domain.pulling import PullPlanned
from ctxchat.engine.hub.puller import HubPuller
from tests.support.header_writer import LLAMA, Tensor, write_gguf
from tests.support.hub import Hub
from tests.support.pulls import GB, REPO, Pull, finished, planned


@pytest.mark.parametrize(
    ("free", "chosen", "why"),
    [
        (16 * GB, "Q8_0", "the best from Q4_K_M to Q8_0 that fits: it takes about 9.2 GB of the 16.0 GB"),
        (8 * GB, "Q6_K", "the best from Q4_K_M to Q8_0 that fits"),
        (6 * GB, "Q4_K_M", "the best from Q4_K_M to Q8_0 that fits"),
        (4 * GB, "Q2_K", "nothing from Q4_K_M to Q8_0 fits, it is the largest that fits"),
        (None, "Q4_K_M", "how much memory is free is not known here"),
    ],
)
def test_the_quantization_is_chosen_by_what_fits(
    pull: Pull, hub: Hub, content: bytes, free: int | None, chosen: str, why: str
) -> None:
    sizes = {"Q2_K": 3, "Q4_K_M": 4.7, "Q6_K": 6.3, "Q8_0": 8, "F16": 15}
    hub.repos[REPO] = {f"small-{kind}.gguf": content for kind in sizes}
    hub.claims = {f"small-{kind}.gguf": int(size * GB) for kind, size in sizes.items()}
    puller = HubPuller(Path("/nowhere"), lambda: free, endpoint=hub.endpoint)
    plan = next(event for event in puller.pull(REPO) if isinstance(event, PullPlanned))
    assert plan.name == f"{REPO}:{chosen}"
    assert why in plan.why


def test_what_fits_nowhere_is_not_fetched_unless_it_is_named(pull: Pull, hub: Hub, content: bytes) -> None:
    hub.repos[REPO] = {"big-Q4_K_M.gguf": content}
    hub.claims = {"big-Q4_K_M.gguf": 40 * GB}
    with pytest.raises(
        ModelError, match=r"Q4_K_M, takes about 42\.8 GB \(40\.0 GB of weights\), and 8\.0 GB"
    ):
        pull(REPO)


def test_the_disk_is_looked_at_first(
    pull: Pull, hub: Hub, home: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repos[REPO] = {"small-Q8_0.gguf": content}
    usage = shutil.disk_usage(home)._replace(free=100_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ModelError, match=r"takes 0\.5 MB of disk, and 0\.1 MB are free in"):
        pull(REPO)
    assert hub.ranges == []


def test_split_models_come_whole_and_projectors_not_at_all(
    pull: Pull, hub: Hub, home: Path, tmp_path: Path
) -> None:
    split = {**LLAMA, "split.count": 2}
    first = write_gguf(tmp_path / "1", split, [Tensor("a", (64,))]).read_bytes()
    second = write_gguf(tmp_path / "2", split, [Tensor("b", (64,))]).read_bytes()
    hub.repos[REPO] = {
        "Q8_0/big-Q8_0-00001-of-00002.gguf": first,
        "Q8_0/big-Q8_0-00002-of-00002.gguf": second,
        "mmproj-F16.gguf": b"a projector",
        "big.imatrix.gguf": b"no model",
        "cut-Q4_K_M-00001-of-00002.gguf": first,
    }
    events = pull(REPO)
    assert planned(events).name == f"{REPO}:Q8_0"
    folder = home / "models" / REPO / "Q8_0"
    assert finished(events).path == str(folder / "big-Q8_0-00001-of-00002.gguf")
    assert sorted(path.name for path in folder.iterdir()) == [
        "big-Q8_0-00001-of-00002.gguf",
        "big-Q8_0-00002-of-00002.gguf",
    ]


def test_what_is_there_is_named_where_a_quantization_is_not(pull: Pull, hub: Hub, content: bytes) -> None:
    hub.repos[REPO] = {"small-Q4_K_M.gguf": content, "small-Q8_0.gguf": content + b"8"}
    with pytest.raises(ModelError, match=r"has no Q5_K_M; there are Q4_K_M \(0\.5 MB\), Q8_0"):
        pull(f"{REPO}:Q5_K_M")
    hub.repos[REPO] = {"model.safetensors": b""}
    with pytest.raises(ModelError, match="no GGUF file of a language model"):
        pull(REPO)


@pytest.mark.parametrize("reference", ["small", "a/b/c", "../a", "https://example.org/model.bin", ""])
def test_what_names_nothing_to_pull_is_a_usage_error(pull: Pull, reference: str) -> None:
    with pytest.raises(UsageError, match="name ORG/REPO"):
        pull(reference)
