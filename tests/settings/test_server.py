"""Servers are set by name, and no key is ever written down."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ctxchat.domain.errors import ModelError, SettingsError
from ctxchat.settings.schema import Settings, value_of
from ctxchat.settings.server import configured, meant, server_of

Load = Callable[..., Settings]

NAMED = """[server]
url = "http://127.0.0.1:8000/v1/"
headers = {"X-Team" = "$TEAM"}

[server.openai]
url = "https://api.openai.com/v1"
key_env = "OPENAI_API_KEY"
[server.openai.prices]
input = 0.5
output = 1.5
"""


def refused(load: Load, file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(SettingsError) as refusal:
        load()
    return str(refusal.value)


def test_a_server_and_others_by_name(load: Load, user_file: Path) -> None:
    user_file.write_text(NAMED)
    settings = load()
    assert settings.server.url == "http://127.0.0.1:8000/v1"
    assert settings.server.headers == {"X-Team": "$TEAM"}
    named = settings.servers["openai"]
    assert (named.key_env, named.prices) == (
        "OPENAI_API_KEY",
        {"input": 0.5, "output": 1.5, "currency": "USD"},
    )
    assert settings.origins["server.openai.key_env"] == f"{user_file}:7"
    assert value_of(settings, "server.openai.url") == "https://api.openai.com/v1"
    assert list(configured(settings)) == ["", "openai"]


@pytest.mark.parametrize(
    ("path", "variables", "name"),
    [
        (None, {}, None),
        (None, {"CTXCHAT_SERVER_URL": "http://here:1"}, ""),
        ("server", {}, ""),
        ("server:", {}, ""),
        ("server:openai", {}, "openai"),
        ("servers/model.gguf", {"CTXCHAT_SERVER_URL": "http://here:1"}, None),
    ],
)
def test_which_server_is_meant(
    load: Load, path: str | None, variables: Mapping[str, str], name: object
) -> None:
    assert meant(load({"model.path": path} if path else {}, **variables)) == name


def test_one_that_is_not_there_is_told_with_those_that_are(load: Load, user_file: Path) -> None:
    user_file.write_text(NAMED)
    with pytest.raises(ModelError, match=r"server:den: .* \[server\.den\] .* there is server, server:openai"):
        server_of(load(), "den")


@pytest.mark.parametrize(
    "line",
    [
        'key = "sk-secret"',
        'headers = {Authorization = "Bearer sk-secret"}',
        'url = "https://me:sk-secret@host/v1"',
        'url = "https://host/v1?api-key=sk-secret"',
        'api_key = "sk-secret"',
    ],
)
@pytest.mark.parametrize("section", ["server", "server.openai"])
def test_a_key_in_a_file_is_refused_and_not_repeated(
    load: Load, user_file: Path, section: str, line: str
) -> None:
    said = refused(load, user_file, f"[{section}]\n{line}\n")
    assert said.startswith(f"{user_file}:2: {section}.")
    assert "key" in said
    assert "secret" not in said


def test_a_key_may_stand_in_the_environment(load: Load) -> None:
    load(CTXCHAT_SERVER_KEY="sk-secret")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('url = "ftp://host"', "server.url: must be an address like"),
        ('url = "http://[::1"', "server.url: must be an address like"),
        ('url = "http://host:99999"', "server.url: must be an address like"),
        ("prices = {input = 1}", "server.prices: must be a table like"),
        ("prices = {input = 1, output = -1}", "server.prices: must be a table like"),
        ('headers = {"a b" = "c"}', "server.headers: must be a table of texts"),
        ("timeout = 0", "server.timeout: must be a number"),
        ('[server.lab]\nurll = "http://host"', 'server.lab.urll: unknown key; did you mean "url"?'),
    ],
)
def test_what_is_wrong_with_a_server_is_told(load: Load, user_file: Path, text: str, said: str) -> None:
    assert said in refused(load, user_file, f"[server]\n{text}\n")


@pytest.mark.parametrize(
    "line", ['url = "http://host"', 'key_env = "HOME"', 'key_command = "pass"', 'headers = {A = "$HOME"}']
)
@pytest.mark.parametrize("section", ["server", "server.lab"])
def test_a_project_says_neither_where_prompts_go_nor_with_what_key(
    load: Load, project: Path, section: str, line: str
) -> None:
    file = project / "ctxchat.toml"
    assert "is not taken from a project file" in refused(load, file, f"[{section}]\n{line}\n")


def test_prices_and_headers_are_read_from_the_environment(load: Load) -> None:
    settings = load(
        CTXCHAT_SERVER_PRICES="input = 1, output = 2", CTXCHAT_SERVER_HEADERS='{X-Team = "$TEAM"}'
    )
    assert settings.server.prices == {"input": 1.0, "output": 2.0, "currency": "USD"}
    assert settings.server.headers == {"X-Team": "$TEAM"}
