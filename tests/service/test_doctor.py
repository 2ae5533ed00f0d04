"""Each check stands alone, and what fails says how to mend it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ctxchat.domain.cost import CostCurve
from ctxchat.domain.errors import ModelError, SettingsError, StoreError
from ctxchat.domain.measurement import Calibration
from ctxchat.domain.model import ModelFile, ReasoningTags, TemplateBehaviour, UnusedGpu
from ctxchat.domain.passage import Collection
from ctxchat.service.doctor import Finding, Probes, examine, template_words
from ctxchat.service.model_in_use import OpenedModel
from ctxchat.service.servers import Servers
from ctxchat.settings.schema import Settings
from ctxchat.settings.server import ServerSettings
from tests.support.served import ServedModel

BEHAVIOUR = TemplateBehaviour(
    extends=True,
    strips_reasoning=False,
    trims=False,
    moves_system=False,
    takes_system=True,
    dated=False,
    switches_thinking=False,
)
SERVER = ServerSettings(url="http://server.invalid:8000", key_env="LAB_KEY")
FILE = ModelFile("m", "/m.gguf", "here", 1000, "llama", 10, "Q4_1", 8192, 23040)
FINE = Probes(
    engine=lambda: "0.3.36",
    gpu=list,
    unused_gpu=lambda: None,
    model=lambda: Path("/m.gguf"),
    header=lambda path: FILE,
    template=lambda path: BEHAVIOUR,
    threads=lambda: (1, 2),
    conversations=lambda: 3,
    notes=lambda: ([Collection("work", 7, "static", "/there")], []),
    snapshots=lambda: (5_000_000, 2_000_000_000),
    calibrate=lambda: (Calibration(4096, 8192, 4.0, (2, 1)), CostCurve(0.1, 0.005, 2e-6, 0.01, 5e-6)),
    servers=lambda: Servers({"": SERVER}, lambda _: OpenedModel(ServedModel())),
)


@pytest.fixture(autouse=True)
def at_home(home: Path) -> None:
    """The folders that are looked at are those of an empty home."""


def raising(error: Exception) -> Callable[..., None]:
    def probe(*_: object) -> None:
        raise error

    return probe


def findings(probes: Probes = FINE, load: Callable[[], Settings] = Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(load, lambda settings: probes)}


def test_where_all_is_well_every_check_is_ok_and_nothing_is_to_be_mended() -> None:
    found = findings()
    assert all(finding.ok and finding.mend is None for finding in found.values())
    assert found["KV cache"].seen == "23,040 bytes a token with f16 keys and values"
    assert found["conversations"].seen == "3, all readable"
    assert list(found) == [
        "python", "ctxchat", "settings", "llama-cpp-python", "gpu", "threads", "model", "model file",
        "KV cache", "chat template", "connections", "conversations", "notes", "KV snapshots", "folders",
        "disk",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("probe", "check", "error"),
    [
        ("engine", "llama-cpp-python", OSError("no library")),
        ("header", "model file", ModelError("cut short")),
        ("template", "chat template", ModelError("does not finish")),
        ("conversations", "conversations", StoreError("damaged")),
        ("threads", "threads", ValueError("odd")),
    ],
)
def test_a_check_that_fails_says_what_and_how_to_mend_it_and_stops_no_other(
    probe: str, check: str, error: Exception
) -> None:
    found = findings(replace(FINE, **{probe: raising(error)}))
    assert not found[check].ok
    assert found[check].matters
    assert str(error) in found[check].seen
    assert found[check].mend
    assert len(found) == 16
    assert found["disk"].ok


def test_without_a_model_what_hangs_on_it_is_not_looked_at() -> None:
    found = findings(replace(FINE, model=raising(ModelError("no model"))))
    assert [check for check, finding in found.items() if not finding.ok] == [
        "model", "model file", "KV cache", "chat template",
    ]  # fmt: skip


def test_broken_settings_are_told_and_the_rest_looks_at_the_defaults() -> None:
    found = findings(load=raising(SettingsError("a.toml:1: x")))
    assert found["settings"] == Finding("settings", ok=False, seen="a.toml:1: x", mend="ctxchat config edit")
    assert found["model"].ok


def test_a_build_without_gpu_is_told_and_is_no_failure() -> None:
    assert findings()["gpu"].seen == "none: models run on the CPU"
    assert findings(replace(FINE, gpu=lambda: ["CUDA0"]))["gpu"].seen == "CUDA0"


def test_a_store_that_does_not_exist_yet_is_fine() -> None:
    assert "no store yet" in findings(replace(FINE, conversations=lambda: None))["conversations"].seen


def test_notes_are_counted_and_an_index_that_is_not_the_stores_is_told() -> None:
    notes = findings(FINE)["notes"]
    assert (notes.ok, notes.seen) == (True, "7 in 1 collection, embedded by static; Chroma holds all of them")
    assert "none yet" in findings(replace(FINE, notes=lambda: ([], [])))["notes"].seen
    parted = findings(replace(FINE, notes=lambda: ([Collection("work", 7, "static", "/there")], ["work"])))
    assert not parted["notes"].ok
    assert '"work"' in parted["notes"].seen
    assert parted["notes"].mend


def test_a_template_is_told_in_words() -> None:
    odd = replace(
        BEHAVIOUR,
        extends=False,
        takes_system=False,
        strips_reasoning=True,
        trims=True,
        dated=True,
        reasoning=ReasoningTags("<think>", "</think>"),
    )
    assert "part of the cache is lost" in template_words(odd)
    assert "before the first question" in template_words(odd)
    assert "reasons in <think>, which is left out of later prompts" in template_words(odd)
    assert "no switch for reasoning: --think-budget 0" in template_words(odd)
    assert "--think and --no-think work" in template_words(replace(odd, switches_thinking=True))
    assert "the cache is reused" in template_words(BEHAVIOUR)


def test_what_work_costs_is_measured_on_demand_and_says_what_is_extrapolated() -> None:
    found = {finding.check: finding for finding in examine(Settings, lambda _: FINE, calibrate=True)}
    assert found["cost"].ok
    assert "threads: 2 to read, 1 to decode" in found["cost"].seen
    assert "what lies between 4,096 and 8,192 cells is extrapolated" in found["cost"].seen
    calm = replace(FINE, calibrate=lambda: (Calibration(0, 8192, 10.0, (2, 1)), None))
    (cost,) = (f for f in examine(Settings, lambda _: calm, calibrate=True) if f.check == "cost")
    assert not cost.ok
    assert not cost.matters


def test_a_server_is_asked_what_it_is_and_what_would_be_sent_where_is_told() -> None:
    found = findings(load=lambda: Settings(server=SERVER))
    assert found["server"].seen == "vLLM at http://server.invalid:8000 runs served, window 2,048 tokens"
    assert found["server key"].seen == "the environment variable LAB_KEY"
    assert found["token counts"].seen.startswith("exact")
    assert found["prefix cache"].ok
    assert found["connections"].seen.startswith("prompts to http://server.invalid:8000 (server); ")
    assert "model file" not in found


def test_a_vllm_that_does_not_tell_what_it_cached_is_told_by_which_flag_it_would() -> None:
    silent = Servers({"": SERVER}, lambda _: OpenedModel(ServedModel(silent=True)))
    found = findings(replace(FINE, servers=lambda: silent), lambda: Settings(server=SERVER))
    assert not found["prefix cache"].ok
    assert found["prefix cache"].mend == "start vLLM with --enable-prompt-tokens-details"


def test_a_server_that_does_not_answer_is_a_failure_that_matters() -> None:
    away = Servers({"": SERVER}, raising(ModelError("nothing answers")))
    found = findings(replace(FINE, servers=lambda: away), lambda: Settings(server=SERVER))
    assert (found["server"].ok, found["server"].matters, found["server"].seen) == (
        False,
        True,
        "nothing answers",
    )
    assert found["token counts"].seen == "not looked at: the server does not answer"


def test_a_gpu_that_the_build_cannot_use_is_told_with_the_command_that_mends_it() -> None:
    unused = UnusedGpu("this machine has a GPU (NVIDIA)", "pip install it again")
    found = findings(replace(FINE, unused_gpu=lambda: unused))["gpu"]
    assert (found.ok, found.matters, found.mend) == (False, False, "pip install it again")
    assert found.seen == "this machine has a GPU (NVIDIA): models run on the CPU"
