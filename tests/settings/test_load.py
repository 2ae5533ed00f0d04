"""Settings are merged by strength, keep their origin, and are refused all at once."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ctxchat.domain.errors import SettingsError
from ctxchat.settings.schema import KEYS, Settings, value_of

Load = Callable[..., Settings]


def problems(load: Load, *args: object, **variables: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(*args, **variables)
    assert caught.value.exit_code == 2
    return str(caught.value).splitlines()


def test_without_any_source_every_value_is_its_default(load: Load) -> None:
    settings = load()
    assert settings.origins == dict.fromkeys(KEYS, "default")
    assert all(value_of(settings, path) == key.default for path, key in KEYS.items())


def test_a_stronger_source_wins_and_is_the_origin(load: Load, user_file: Path, project: Path) -> None:
    user_file.write_text("[sampling]\ntop_k = 1\ntop_p = 0.1\nmin_p = 0.1\nseed = 1\n")
    (project / "ctxchat.toml").write_text("[sampling]\n\ntop_p = 0.2\nmin_p = 0.2\nseed = 2\n")
    settings = load({"sampling.seed": 4}, CTXCHAT_SAMPLING_MIN_P="0.3", CTXCHAT_SAMPLING_SEED="3")
    sampling = settings.sampling
    assert (sampling.top_k, sampling.top_p, sampling.min_p, sampling.seed) == (1, 0.2, 0.3, 4)
    assert settings.origins["sampling.top_k"] == f"{user_file}:2"
    assert settings.origins["sampling.top_p"] == f"{project / 'ctxchat.toml'}:3"
    assert settings.origins["sampling.min_p"] == "CTXCHAT_SAMPLING_MIN_P"
    assert settings.origins["sampling.seed"] == "--seed"
    assert settings.origins["sampling.temperature"] == "default"


def test_a_whole_number_serves_where_a_number_is_wanted(load: Load, user_file: Path) -> None:
    user_file.write_text("[sampling]\ntemperature = 1\n")
    assert isinstance(load().sampling.temperature, float)


def test_ctxchat_config_replaces_the_user_file(load: Load, user_file: Path, tmp_path: Path) -> None:
    user_file.write_text("[model]\nmain_gpu = 1\n")
    other = tmp_path / "other.toml"
    other.write_text("[model]\nthreads = 3\n")
    settings = load(CTXCHAT_CONFIG=str(other))
    assert (settings.model.main_gpu, settings.model.threads) == (0, 3)


def test_a_ctxchat_config_that_does_not_exist_is_told(load: Load, tmp_path: Path) -> None:
    [line] = problems(load, CTXCHAT_CONFIG=str(tmp_path / "none.toml"))
    assert line.startswith(f"{tmp_path / 'none.toml'}: ")
    assert "CTXCHAT_CONFIG" in line


def test_every_problem_is_told_with_its_file_its_line_and_the_nearest_name(
    load: Load, user_file: Path, project: Path
) -> None:
    user_file.write_text("[model]\ntreads = 1\n\n[modle]\npath = 'a'\n")
    (project / "ctxchat.toml").write_text("[sampling]\ntop_p = 3\ntop_k = 'many'\nctx_size = 9\n")
    lines = problems(load, {"sampling.temprature": "1"}, CTXCHAT_KV_TYPE_Q="f16", CTXCHAT_MODEL_THREADS="0")
    file = project / "ctxchat.toml"
    assert lines == [
        f'{user_file}:2: model.treads: unknown key; did you mean "threads"?',
        f'{user_file}:4: modle: unknown section; did you mean "model"?',
        f"{file}:2: sampling.top_p: must be a number from 0 to 1, not 3",
        f"{file}:3: sampling.top_k: must be a whole number of at least 0, not 'many'",
        f"{file}:4: sampling.ctx_size: unknown key; did you mean model.ctx_size?",
        'CTXCHAT_KV_TYPE_Q: kv.type_q: unknown key; did you mean "type_v"?',
        "CTXCHAT_MODEL_THREADS: model.threads: must be a whole number from 1 to 512, not '0'",
        '-o temprature: sampling.temprature: unknown key; did you mean "temperature"?',
    ]


@pytest.mark.parametrize("text", ["[model\n", "a b\n", '[model]\npath = "a\n', "[kv]\n[kv]\n"])
def test_a_syntax_error_names_its_line(load: Load, user_file: Path, text: str) -> None:
    user_file.write_text(f"[sampling]\n{text}")
    [line] = problems(load)
    assert re.match(re.escape(str(user_file)) + r":[234]: ", line)


def test_bytes_that_are_no_text_are_told_with_their_line(load: Load, user_file: Path) -> None:
    user_file.write_bytes(b"[model]\n# caf\xe9\n")
    assert problems(load) == [f"{user_file}:2: is not UTF-8"]


def test_a_byte_order_mark_is_no_error(load: Load, user_file: Path) -> None:
    user_file.write_bytes(b"\xef\xbb\xbf[model]\nthreads = 2\n")
    assert load().model.threads == 2


@pytest.mark.parametrize("section", ["ui"])
def test_a_section_without_keys_may_stand_and_holds_none(load: Load, user_file: Path, section: str) -> None:
    user_file.write_text(f"[{section}]\n")
    load()
    user_file.write_text(f"[{section}]\nkey = 1\n")
    assert problems(load) == [f"{user_file}:2: {section}.key: unknown key"]


@pytest.mark.parametrize("text", ["model = 'a.gguf'\n", "[[model]]\npath = 'a.gguf'\n"])
def test_a_value_where_a_section_belongs_is_told(load: Load, user_file: Path, text: str) -> None:
    user_file.write_text(f"\n{text}")
    [line] = problems(load)
    assert line.startswith(f"{user_file}:2: model: is a section")


@pytest.mark.parametrize(
    "text",
    ["[model]\npath = 1\n", "model.path = 1\n", "model = {path = 1}\n", '[ "model" ]\n"path" = 1\n'],
    ids=["section", "dotted", "inline", "quoted"],
)
def test_every_way_to_write_a_key_finds_its_line(load: Load, user_file: Path, text: str) -> None:
    user_file.write_text(f"# first line\n{text}")
    [line] = problems(load)
    number = 2 + text.strip().count("\n")
    assert line.startswith(f"{user_file}:{number}: model.path: ")


def test_what_looks_like_a_key_inside_a_long_text_is_none(load: Load, user_file: Path) -> None:
    user_file.write_text('[context]\nsystem = """\n[kv]\ntype_k = 1\n"""\n[kv]\ntype_k = 2\n')
    [line] = problems(load)
    assert line.startswith(f"{user_file}:7: kv.type_k: ")


def test_variables_are_read_as_text(load: Load) -> None:
    settings = load(
        CTXCHAT_MODEL_TENSOR_SPLIT="3,1",
        CTXCHAT_MODEL_N_GPU_LAYERS="all",
        CTXCHAT_KV_OFFLOAD="false",
        CTXCHAT_CONTEXT_THINK="1",
        CTXCHAT_SAMPLING_STOP='["a", "b"]',
        CTXCHAT_MODEL_FOLDERS="~/m",
        CTXCHAT_MODEL_MAIN_GPU="",
        CTXCHAT_DEBUG="1",
        CTXCHAT_OTHER_THING="x",
    )
    assert settings.model.tensor_split == (3, 1)
    assert settings.model.n_gpu_layers == "all"
    assert settings.kv.offload is False
    assert settings.context.think is True
    assert settings.sampling.stop == ("a", "b")
    assert settings.model.folders == (str(Path("~/m").expanduser()),)
    assert settings.origins["model.main_gpu"] == "default"


@pytest.mark.parametrize(
    ("path", "bad"),
    [
        ("sampling.temperature", -0.1),
        ("sampling.temperature", "nan"),
        ("sampling.temperature", "inf"),
        ("sampling.top_p", 1.1),
        ("sampling.max_tokens", 0),
        ("sampling.seed", 2**32),
        ("model.ctx_size", 1),
        ("model.threads", True),
        ("model.n_gpu_layers", "-1"),
        ("model.tensor_split", "a,b"),
        ("kv.flash_attn", "maybe"),
        ("kv.offload", 1),
        ("context.system", 1),
        ("sampling.stop", "[1]"),
        ("sampling.stop", "[broken"),
    ],
)
def test_a_value_out_of_range_or_of_another_type_is_refused(load: Load, path: str, bad: object) -> None:
    [line] = problems(load, {path: bad})
    assert f" {path}: must be " in line
