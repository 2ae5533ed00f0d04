"""Models fetched from a hub on loopback, which drops, refuses, lies and makes wait."""

import hashlib
from pathlib import Path

import pytest

from ctxchat.domain.errors import ModelError
from ctxchat.domain.pulling import PullDelayed, PullFinished, PullPlanned, PullProgressed
from ctxchat.engine.hub.puller import HubPuller
from tests.support.hub import Drop, Hub, Refuse, WholeAgain
from tests.support.pulls import GB, REPO, Pull, finished, planned


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


def test_two_processes_do_not_write_one_file(pull: Pull, hub: Hub, home: Path, content: bytes) -> None:
    hub.repos[REPO] = {"small-Q8_0.gguf": content}
    first = HubPuller(home / "models", lambda: GB, endpoint=hub.endpoint).pull(REPO)
    while not isinstance(next(first), PullProgressed):
        pass
    with pytest.raises(ModelError, match="another process is pulling"):
        pull(REPO)
    first.close()  # type: ignore[attr-defined]
