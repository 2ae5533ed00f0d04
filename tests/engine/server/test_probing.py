"""What is found out about a server, and that it is found out once."""

import stat
from pathlib import Path

import pytest

from ctxchat.domain.errors import ModelError, UsageError
from ctxchat.engine.server.address import address_of
from ctxchat.engine.server.probing import Kind, _window, signature
from tests.engine.server.conftest import Load
from tests.support.server_models import last, question, told
from tests.support.servers.double import Body, Double
from tests.support.servers.llama_double import LlamaDouble
from tests.support.servers.openai_double import OpenAiDouble
from tests.support.servers.vllm_double import VllmDouble
from tests.support.servers.wire import Exchange


@pytest.mark.parametrize(
    ("url", "api", "root"),
    [
        ("http://host:8000", "http://host:8000/v1", "http://host:8000"),
        ("http://host:8000/", "http://host:8000/v1", "http://host:8000"),
        (" http://host:8000/v1/ ", "http://host:8000/v1", "http://host:8000"),
        ("http://host:8000/v1/chat/completions", "http://host:8000/v1", "http://host:8000"),
        ("https://host/api/v1/completions", "https://host/api/v1", "https://host/api"),
        ("https://host/v1beta/openai/", "https://host/v1beta/openai", "https://host/v1beta/openai"),
        ("https://host/prefix", "https://host/prefix/v1", "https://host/prefix"),
        ("http://[::1]:80/v1?x=1", "http://[::1]:80/v1", "http://[::1]:80"),
    ],
)
def test_an_address_is_understood_however_much_of_it_was_written(url: str, api: str, root: str) -> None:
    address = address_of(url)
    assert (address.api, address.root, address.shown) == (api, root, root)


def test_a_password_in_an_address_is_not_shown() -> None:
    address = address_of("https://me:secret@host/v1")
    assert (address.api, address.shown) == ("https://me:secret@host/v1", "https://host")


@pytest.mark.parametrize("url", ["host:8000", "ftp://host", "", "http://", "http://host:nine", "http://[::1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="must be like"):
        address_of(url)


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/chat/completions"])
def test_a_server_is_known_by_any_of_its_addresses(double: Double, load: Load, path: str) -> None:
    model = load(double.url + path, key=double.key)
    kinds = {VllmDouble: Kind.VLLM, LlamaDouble: Kind.LLAMA_SERVER, OpenAiDouble: Kind.PLAIN}
    assert model.probed.kind is kinds[type(double)]
    assert model.facts.path == double.url
    assert last(told(model, question(model))).text is not None


def test_vllm_tells_its_window_and_its_version(vllm_double: VllmDouble, load: Load) -> None:
    model = load(vllm_double.url)
    assert (model.facts.window, model.probed.version) == (512, "0.26.0")
    assert (model.facts.layers, model.facts.weights, model.memory(), model.cache) == (None, None, None, None)


def test_llama_server_tells_its_template_and_its_window(llama_double: LlamaDouble, load: Load) -> None:
    model = load(llama_double.url)
    assert (model.facts.window, model.facts.name) == (512, "tiny")
    assert model.probed.template == llama_double.backing.header.text("tokenizer.chat_template")


def test_a_server_is_probed_once_and_then_asked_one_thing(double: Double, load: Load, tmp_path: Path) -> None:
    load(double.url, key=double.key)
    double.seen.clear()
    model = load(double.url, key=double.key)
    paths = [one.path for one in double.seen]
    assert paths == ["/v1/models"]
    assert model.probed.kind
    for file in (tmp_path / "servers").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert (double.key or "no key") not in file.read_text()


def test_another_model_at_the_same_address_is_probed_anew(vllm_double: VllmDouble, load: Load) -> None:
    load(vllm_double.url)
    vllm_double.name = "other"
    vllm_double.seen.clear()
    assert load(vllm_double.url).probed.model == "other"
    assert "/version" in [one.path for one in vllm_double.seen]


def test_a_damaged_record_is_made_again(double: Double, load: Load, tmp_path: Path) -> None:
    load(double.url, key=double.key)
    for file in (tmp_path / "servers").iterdir():
        file.write_text('{"format": 1, "probed": [')
    assert load(double.url, key=double.key).probed.model


def test_a_folder_that_cannot_be_written_is_no_failure(double: Double, load: Load, tmp_path: Path) -> None:
    (tmp_path / "servers").write_text("a file in its place")
    assert load(double.url, key=double.key).probed.model


def test_what_lists_no_models_is_no_server(vllm_double: VllmDouble, load: Load) -> None:
    with pytest.raises(ModelError, match=r"refused|lists no models"):
        load(f"{vllm_double.url}/elsewhere")


def test_a_turn_teaches_what_the_server_has_cached_and_what_it_costs(
    vllm_double: VllmDouble, load: Load
) -> None:
    model = load(vllm_double.url)
    asked = question(model, "one two three four five six " * 10, limit=40)
    assert model.prefixes.expected(asked.ids) is None
    for _ in range(3):
        done = last(told(model, asked))
        expected = model.prefixes.expected((*asked.ids, *done.text_ids, 1, 2, 3))
        assert expected
        assert expected % 16 == 0
    assert done.usage
    assert done.usage.cached == model.prefixes.expected(asked.ids)
    assert model.costs
    model.costs.learn()
    assert model.costs.curve() is not None
    assert not model.costs.is_stale()


def test_llama_server_behind_a_key_is_known_with_it_and_not_without(
    llama_double: LlamaDouble, load: Load
) -> None:
    llama_double.key = "the right one"
    with pytest.raises(ModelError, match="wants another key"):
        load(llama_double.url, key="a wrong one")
    assert load(llama_double.url, key="the right one").probed.kind is Kind.LLAMA_SERVER


def test_a_vllm_that_does_not_spell_its_tokens_is_not_trusted_with_text(
    vllm_double: VllmDouble, load: Load
) -> None:
    spelled = vllm_double._tokenize

    def silent(exchange: Exchange, body: Body) -> None:
        spelled(exchange, body | {"return_token_strs": False})

    vllm_double._tokenize = silent  # type: ignore[method-assign]
    with pytest.raises(ModelError, match=r"a newer vLLM does, or set the vocabulary of \[server\]"):
        load(vllm_double.url)
    assert load(vllm_double.url, vocabulary=str(vllm_double.backing.path)).vocabulary.exact


@pytest.mark.parametrize("name", ["context_length", "context_window", "max_context_length"])
def test_a_hosted_api_may_tell_its_window_under_other_names(name: str) -> None:
    entry = {"id": "a", "owned_by": "vllm", name: 131072}
    assert _window(entry) == 131072
    assert signature(entry)[name] == 131072
