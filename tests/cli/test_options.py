"""Flags are read as llama.cpp and the contract write them, and become settings."""

from collections.abc import Callable
from typing import Any

import pytest
import typer
from typer.main import get_command

from ctxchat.cli.answering import request_of
from ctxchat.cli.input import Question
from ctxchat.cli.options import AskFlags, check, overrides
from ctxchat.cli.parsing import PairedCommand, takes
from ctxchat.domain.errors import SettingsError, UsageError
from ctxchat.settings.load import load_settings
from ctxchat.settings.schema import KEYS, Settings
from tests.cli.conftest import Ran


def parse(*words: str) -> AskFlags:
    """The flags of `ask` as typer reads them."""
    seen: list[AskFlags] = []
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(cls=PairedCommand)(takes(AskFlags)(seen.append))
    command: Any = get_command(app)
    command.invoke(command.make_context("ask", list(words)))
    return seen[0]


def test_nothing_typed_sets_nothing() -> None:
    assert overrides(parse()) == {}


def test_short_options_of_several_letters_stand_beside_those_of_one() -> None:
    flags = parse(
        "-ngl", "0", "-n", "-q", "-ctk", "q8_0", "-ctv", "q4_0", "-fa", "on", "why", "-ub", "64", "-b", "128"
    )
    assert flags.words == ["why"]
    assert (flags.no_log, flags.quiet) == (True, True)
    assert overrides(flags) == {
        "model.n_gpu_layers": "0",
        "kv.type_k": "q8_0",
        "kv.type_v": "q4_0",
        "kv.flash_attn": "on",
        "model.batch_size": 128,
        "model.ubatch_size": 64,
    }


def test_short_options_of_one_letter_may_be_joined() -> None:
    flags = parse("-nq", "-cu")
    assert (flags.no_log, flags.quiet, flags.resume, flags.usage) == (True, True, True, True)


def test_pairs_take_two_values_and_repeat() -> None:
    flags = parse("-p", "a", "1", "--param", "b", "2 3", "-t", "name", "-o", "top_k", "5", "word")
    assert [tuple(pair) for pair in flags.param] == [("a", "1"), ("b", "2 3")]
    assert flags.words == ["word"]
    assert overrides(flags) == {"sampling.top_k": "5"}


def test_a_flag_of_its_own_outdoes_the_same_option() -> None:
    assert overrides(parse("-o", "temperature", "1", "--temperature", "0.5")) == {"sampling.temperature": 0.5}


def test_switches_set_what_they_say() -> None:
    assert overrides(parse("--no-kv-offload", "--no-think")) == {"kv.offload": False, "context.think": False}
    assert overrides(parse("--think")) == {"context.think": True}
    assert overrides(parse("--no-memory")) == {"notes.recall": False}


def test_collections_are_a_list_and_those_of_a_request() -> None:
    flags = parse("--notes", "a", "--notes", "b")
    settings = load_settings(overrides(flags), {"CTXCHAT_CONFIG": ""})
    assert settings.notes.collections == ("a", "b")
    assert request_of(flags, settings, Question("why")).collections == ("a", "b")


def test_a_request_leaves_collections_to_the_settings_and_recalls_and_filters() -> None:
    request = request_of(parse(), Settings(), Question("why"))
    assert (request.collections, request.memory, request.filters) == (None, True, True)


def test_memory_is_off_by_its_flag_and_by_its_setting() -> None:
    for words, environment in ((("--no-memory",), {}), ((), {"CTXCHAT_NOTES_RECALL": "false"})):
        settings = load_settings(overrides(parse(*words)), {"CTXCHAT_CONFIG": "", **environment})
        assert not request_of(parse(*words), settings, Question("why")).memory


def test_without_filters_nothing_is_filtered() -> None:
    assert not request_of(parse("--no-filter"), Settings(), Question("why")).filters


def test_help_shows_the_question_first_and_the_engine_last(run: Callable[..., Ran]) -> None:
    text = run("ask", "--help").stdout
    places = [text.index(f"{flag} ") for flag in (
        "--model", "--continue", "--file", "--data", "--notes", "--no-memory", "--no-filter",
        "--show-filtered", "--budget", "--max-tokens", "--json", "--ctx-size", "--ubatch-size",
    )]  # fmt: skip
    assert places == sorted(places)
    planned = run("plan", "--help").stdout
    assert "--data" in planned
    assert "--no-filter" in planned
    assert "--show-filtered" not in planned


def test_every_flag_that_a_setting_names_sets_it() -> None:
    values: dict[str, list[str]] = {"kv.offload": [], "context.think": [], "notes.recall": []}
    words = {
        "model.ctx_size": "64",
        "kv.flash_attn": "on",
        "model.split_mode": "row",
        "model.speculation": "on",
        "kv.type_k": "f32",
        "kv.type_v": "f32",
        "context.budget": "64",
        "context.overflow": "refuse",
    }
    without = (
        "model.folders",
        "context.system",
        "context.compact_at",
        "context.compact_to",
        "notes.embedder",
        "kv.max_disk",
    )
    settable = [key for key in KEYS.values() if key.flag and key.path not in without]
    for key in settable:
        typed = [*key.flag.split(), *values.get(key.path, [words.get(key.path, "1")])]
        assert list(overrides(parse(*typed))) == [key.path], key.flag
        settings = load_settings(overrides(parse(*typed)), {"CTXCHAT_CONFIG": ""})
        assert settings.origins[key.path] == key.flag


def test_an_unknown_sampling_option_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r'-o temprature: .*did you mean "temperature"\?'):
        load_settings(overrides(parse("-o", "temprature", "1")), {})


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["-c", "--session", "a"], "--session"),
        (["--fork"], "--fork"),
        (["--json", "--events"], "--events"),
        (["--show-filtered", "--json"], "--show-filtered"),
        (["--show-filtered", "--events"], "--show-filtered"),
        (["-p", "a", "b"], "-t"),
        (["-t", "x", "-p", "question", "b"], "-p question"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(words: list[str], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        check(parse(*words))


def test_flags_that_do_go_together_are_taken() -> None:
    check(parse("-c", "--fork", "--json"))
    check(parse("--session", "a", "--fork", "-t", "x", "-p", "a", "b"))


@pytest.mark.parametrize(
    "words",
    [
        ["-o", "top_k"],
        ["--ctx-size", "many"],
        ["--n-gpu-layers", "few"],
        ["--temperature", "-1"],
        ["--flash-attn", "perhaps"],
        ["--seed"],
    ],
    ids=str,
)
def test_a_value_that_cannot_be_is_a_usage_error_before_anything_is_read(
    run: Callable[..., Ran], words: list[str]
) -> None:
    ended = run("ask", "hello", *words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words[0] in ended.stderr
    assert "Traceback" not in ended.stderr
