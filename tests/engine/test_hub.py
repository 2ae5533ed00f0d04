"""Models fetched from a hub on loopback, which drops, refuses, lies and makes wait."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ctxchat.domain.errors import ModelError, UsageError
from ctxchat.domain.pulling import PullDelayed, PullEvent, PullFinished, PullPlanned, PullProgressed
from ctxchat.engine.hub.puller import HubPuller
from tests.support.header_writer import LLAMA, Tensor, write_gguf
from tests.support.hub import Drop, Hub, Refuse, WholeAgain, running_hub

REPO = "maker/Small-GGUF"
GB = 10**9
Pull = Callable[..., list[PullEvent]]


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as hub:
        yield hub


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """A model of half a megabyte."""
    return write_gguf(tmp_path / "content", LLAMA, [Tensor("t", (128, 1024))]).read_bytes()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def pull(home: Path, hub: Hub, waits: list[float]) -> Pull:
    """Pulls into the home's `models`, without waiting, with so much memory free."""

    def call(reference: str, free: int | None = 8 * GB, *, offline: bool = False) -> list[PullEvent]:
        puller = HubPuller(home / "models", lambda: free, offline, hub.endpoint, waits.append)
        return list(puller.pull(reference))

    return call


def finished(events: list[PullEvent]) -> PullFinished:
    assert isinstance(events[-1], PullFinished)
    return events[-1]


def planned(events: list[PullEvent]) -> PullPlanned:
    return next(event for event in events if isinstance(event, PullPlanned))


def parts(home: Path) -> list[Path]:
    return sorted((home / "models").rglob("*.part"))


def test_a_named_quantization_is_fetched_verified_and_put_in_its_place(
    pull: Pull, hub: Hub, home: Path, content: bytes
) -> None:
    hub.repos[REPO] = {"small-Q4_K_M.gguf": content, "small-Q8_0.gguf": content + b"8", "README.md": b"Read"}
    events = pull(f"{REPO}:q4_k_m")
    assert planned(events) == PullPlanned(f"{REPO}:Q4_K_M", "as named", len(content), len(content))
    assert events[-2] == PullProgressed(len(content), len(content))
    path = home / "models" / REPO / "small-Q4_K_M.gguf"
    assert finished(events) == PullFinished(str(path), verified=True, fetched=True)
    assert path.read_bytes() == content
    assert parts(home) == []
    assert not finished(pull(f"{REPO}:Q4_K_M")).fetched
    assert len(hub.ranges) == 1


def test_nobody_is_told_more_than_the_question(pull: Pull, hub: Hub, content: bytes) -> None:
    hub.repos[REPO] = {"small-Q8_0.gguf": content}
    pull(REPO)
    assert {seen.path.split("/")[1] for seen in hub.seen} == {"api", "maker", "cdn"}
    assert not any(word in seen.agent for seen in hub.seen for word in ("torch", "agent", "session"))


def test_a_download_goes_on_where_connections_dropped(
    pull: Pull, hub: Hub, home: Path, content: bytes, waits: list[float]
) -> None:
    hub.repos[REPO] = {"small-Q8_0.gguf": content}
    hub.file_faults = [Drop(100_000), Drop(0), Drop(50_000), Refuse(503)]
    events = pull(REPO)
    assert hub.ranges == [None, "bytes=100000-", "bytes=100000-", "bytes=150000-", "bytes=150000-"]
    assert len([event for event in events if isinstance(event, PullDelayed)]) == len(waits) == 4
    assert Path(finished(events).path).read_bytes() == content


def test_what_came_before_a_stop_is_not_fetched_again(
    pull: Pull, hub: Hub, home: Path, content: bytes
) -> None:
    hub.repos[REPO] = {"small-Q8_0.gguf": content}
    hub.file_faults = [Drop(200_000), *[Drop(0)] * 5]
    with pytest.raises(ModelError, match="what has come stays, and the same command goes on"):
        pull(REPO)
    (part,) = parts(home)
    assert part.stat().st_size == 200_000
    before = len(hub.ranges)
    events = pull(REPO)
    assert planned(events).missing == len(content) - 200_000
    assert hub.ranges[before:] == ["bytes=200000-"]
    assert Path(finished(events).path).read_bytes() == content


def test_a_server_that_sends_all_again_is_believed(pull: Pull, hub: Hub, content: bytes) -> None:
    hub.repos[REPO] = {"small-Q8_0.gguf": content}
    hub.file_faults = [Drop(1000), WholeAgain()]
    assert Path(finished(pull(REPO)).path).read_bytes() == content


def test_a_wrong_checksum_leaves_nothing_behind(pull: Pull, hub: Hub, home: Path, content: bytes) -> None:
    hub.repos[REPO] = {"small-Q8_0.gguf": content}
    hub.lies["small-Q8_0.gguf"] = "ab" * 32
    digest = hashlib.sha256(content).hexdigest()[:12]
    with pytest.raises(ModelError, match=rf"its checksum is {digest}… and should be abababababab…"):
        pull(REPO)
    assert [path for path in (home / "models").rglob("*") if path.is_file()] == []


def test_more_bytes_than_were_told_are_not_taken(pull: Pull, hub: Hub, home: Path, content: bytes) -> None:
    hub.repos[REPO] = {"small-Q8_0.gguf": content}
    hub.claims["small-Q8_0.gguf"] = len(content) - 1
    with pytest.raises(ModelError, match="did not come whole"):
        pull(REPO)
    assert parts(home) == []


def test_a_gated_repository_says_how_to_give_a_token(
    pull: Pull, hub: Hub, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repos[REPO] = {"small-Q8_0.gguf": content}
    hub.gated.add(REPO)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(ModelError, match=r"gated: accept its terms.*HF_TOKEN"):
        pull(REPO)
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    assert finished(pull(REPO)).verified
    assert hub.seen[-1].token == "Bearer hf_mine"


def test_a_repository_that_does_not_exist_says_which_are_like_it(
    pull: Pull, hub: Hub, content: bytes
) -> None:
    hub.repos = {name: {"a-Q8_0.gguf": content} for name in ("maker/Small-GGUF", "other/Large-GGUF")}
    with pytest.raises(ModelError, match=r"no repository maker/Smal-GGUF .*did you mean maker/Small-GGUF\?"):
        pull("maker/Smal-GGUF")


def test_too_many_requests_wait_as_long_as_is_asked(
    pull: Pull, hub: Hub, content: bytes, waits: list[float]
) -> None:
    hub.repos[REPO] = {"small-Q8_0.gguf": content}
    hub.api_faults = [Refuse(429, {"Retry-After": "7"})]
    hub.file_faults = [Refuse(429, {"Retry-After": "11"})]
    assert finished(pull(REPO)).verified
    assert waits == [7.0, 11.0]


def test_a_wait_that_is_too_long_is_told_instead(
    pull: Pull, hub: Hub, content: bytes, waits: list[float]
) -> None:
    hub.repos[REPO] = {"small-Q8_0.gguf": content}
    hub.api_faults = [Refuse(429, {"Retry-After": "4000"})]
    with pytest.raises(ModelError, match=r"429.*asks to wait 4000 s"):
        pull(REPO)
    assert waits == []


def test_a_server_that_is_down_is_given_up(pull: Pull, hub: Hub, waits: list[float]) -> None:
    hub.api_faults = [Refuse(500)] * 10
    with pytest.raises(ModelError, match="the server answers 500; try again later"):
        pull(REPO)
    assert len(waits) == 5


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


def test_a_file_at_an_address_is_fetched_and_gone_on_with(
    pull: Pull, hub: Hub, home: Path, content: bytes
) -> None:
    hub.plain["a file.gguf"] = content
    hub.file_faults = [Drop(1000)]
    address = hub.endpoint.replace("127.0.0.1", "localhost") + "/plain/a%20file.gguf?download=true"
    events = pull(address)
    assert finished(events) == PullFinished(str(home / "models/a file.gguf"), verified=False, fetched=True)
    assert hub.ranges == [None, "bytes=1000-"]
    assert all(seen.token is None for seen in hub.seen)
    with pytest.raises(ModelError, match=r"there is no .*none\.gguf.* \(404\)"):
        pull(address.replace("a%20file", "none"))


def test_an_address_on_the_hub_is_a_file_of_its_repository(
    pull: Pull, hub: Hub, home: Path, content: bytes
) -> None:
    hub.repos[REPO] = {"small-Q8_0.gguf": content, "small-Q4_K_M.gguf": content + b"4"}
    events = pull(f"{hub.endpoint}/{REPO}/blob/main/small-Q4_K_M.gguf")
    assert finished(events).path == str(home / "models" / REPO / "small-Q4_K_M.gguf")
    assert finished(events).verified


def test_what_is_there_is_named_where_a_quantization_is_not(pull: Pull, hub: Hub, content: bytes) -> None:
    hub.repos[REPO] = {"small-Q4_K_M.gguf": content, "small-Q8_0.gguf": content + b"8"}
    with pytest.raises(ModelError, match=r"has no Q5_K_M; there are Q4_K_M \(0\.5 MB\), Q8_0"):
        pull(f"{REPO}:Q5_K_M")
    hub.repos[REPO] = {"model.safetensors": b""}
    with pytest.raises(ModelError, match="no GGUF file of a language model"):
        pull(REPO)


def test_what_is_no_hub_is_said(pull: Pull, hub: Hub, home: Path) -> None:
    hub.plain["api/models/maker/Small-GGUF"] = b"<html>Please log in</html>"
    puller = HubPuller(home / "models", lambda: GB, endpoint=f"{hub.endpoint}/plain")
    with pytest.raises(ModelError, match="is no hub"):
        list(puller.pull(REPO))


def test_a_disk_that_cannot_be_written_is_said(pull: Pull, hub: Hub, home: Path, content: bytes) -> None:
    hub.repos[REPO] = {"small-Q8_0.gguf": content}
    (home / "models" / REPO / f"small-Q8_0.gguf.{hashlib.sha256(content).hexdigest()[:16]}.part").mkdir(
        parents=True
    )
    with pytest.raises(ModelError, match=r"small-Q8_0\.gguf cannot be written: Is a directory"):
        pull(REPO)


@pytest.mark.parametrize("name", ["../../escaped-Q8_0.gguf", "/etc/escaped-Q8_0.gguf"])
def test_a_file_leads_nowhere_else(pull: Pull, hub: Hub, content: bytes, name: str) -> None:
    hub.repos[REPO] = {name: content}
    with pytest.raises(ModelError, match="which is not put anywhere"):
        pull(REPO)


def test_offline_makes_no_connection(pull: Pull, hub: Hub, content: bytes) -> None:
    hub.repos[REPO] = {"small-Q8_0.gguf": content}
    with pytest.raises(ModelError, match="no connection is allowed"):
        pull(REPO, offline=True)
    assert hub.seen == []


@pytest.mark.parametrize("reference", ["small", "a/b/c", "../a", "https://example.org/model.bin", ""])
def test_what_names_nothing_to_pull_is_a_usage_error(pull: Pull, reference: str) -> None:
    with pytest.raises(UsageError, match="name ORG/REPO"):
        pull(reference)


def test_two_processes_do_not_write_one_file(pull: Pull, hub: Hub, home: Path, content: bytes) -> None:
    hub.repos[REPO] = {"small-Q8_0.gguf": content}
    first = HubPuller(home / "models", lambda: GB, endpoint=hub.endpoint).pull(REPO)
    while not isinstance(next(first), PullProgressed):
        pass
    with pytest.raises(ModelError, match="another process is pulling"):
        pull(REPO)
    first.close()  # type: ignore[attr-defined]
