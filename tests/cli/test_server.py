"""The program against servers that speak vLLM's dialect and a hosted API's."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.support.servers.double import running
from tests.support.servers.faults import Drop, too_many
from tests.support.servers.openai_double import OpenAiDouble
from tests.support.servers.vllm_double import VllmDouble

Run = Callable[..., Ran]
KEY = "sk-a-key-nobody-sees"
PRICES = 'prices = {input = 2.0, cached = 0.5, output = 10.0, currency = "EUR"}'


def user_file(home: Path) -> Path:
    file = home / "config" / "ctxchat" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


@pytest.fixture
def vllm(vllm_double: VllmDouble, home: Path) -> VllmDouble:
    """A vLLM of the person's settings, under a name."""
    user_file(home).write_text(
        f'[server.lab]\nurl = "{vllm_double.url}/v1"\nkey_env = "LAB_KEY"\n{PRICES}\n'
        "[sampling]\nmax_tokens = 24\n"
    )
    vllm_double.backing.says.clear()
    vllm_double.key = KEY
    return vllm_double


@pytest.fixture
def lab(run: Run, vllm: VllmDouble) -> Run:
    """Runs the program with that server's key."""

    def call(*words: str, **variables: str) -> Ran:
        return run(*words, **({"LAB_KEY": KEY} | variables))

    return call


def asked(lab: Run, *words: str, **variables: str) -> dict[str, object]:
    ended = lab("ask", "-m", "server:lab", "--json", *words, **variables)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, object] = json.loads(ended.stdout)
    return found


def test_a_turn_at_a_server_is_told_with_what_was_cached_and_what_it_cost(lab: Run, vllm: VllmDouble) -> None:
    vllm.backing.says += ["Herons nest by mills.", "In spring."]
    first = asked(lab, "Where do herons nest, and why there of all places?")
    second = asked(lab, "-c", "And when?")
    assert (first["answer"], second["answer"]) == ("Herons nest by mills.", "In spring.")
    assert second["model"] == {"name": "tiny", "path": vllm.url}
    prompt, kv, cost = second["prompt"], second["kv"], second["cost"]
    assert isinstance(prompt, dict)
    assert isinstance(kv, dict)
    assert isinstance(cost, dict)
    answer = vllm.answers[-1]
    assert (prompt["total"], prompt["exact"]) == (len(answer.prompt), True)
    assert (kv["reused"], kv["evaluated"]) == (answer.cached, len(answer.prompt) - answer.cached)
    assert answer.cached > 0
    assert (kv["capacity"], kv["bytes"], kv["type_k"], second["memory"]) == (None, None, None, None)
    amount = (kv["evaluated"] * 2.0 + kv["reused"] * 0.5 + len(answer.ids) * 10.0) / 1e6
    assert cost == {"amount": pytest.approx(amount), "currency": "EUR"}


def test_one_line_of_usage_names_the_server_and_the_price(lab: Run, vllm: VllmDouble) -> None:
    vllm.backing.says.append("Yes.")
    line = lab("ask", "-u", "-m", "server:lab", "Is it so?").stderr
    assert "cells at the server" in line
    assert line.rstrip().endswith(" EUR")


def test_a_dry_run_sends_no_question_and_foretells_the_price(lab: Run, vllm: VllmDouble) -> None:
    ended = lab("ask", "-m", "server:lab", "--dry-run", "Is it so?")
    assert (ended.returncode, vllm.answers) == (0, [])
    assert re.search(r"^cost +– *, the prompt predicted 0\.\d+ EUR", ended.stdout, re.MULTILINE)


def test_a_plan_has_alternatives_with_their_price(lab: Run, vllm: VllmDouble) -> None:
    found = json.loads(lab("plan", "--json", "-m", "server:lab", "Is it so?").stdout)
    assert len(found["alternatives"]) >= 2
    assert {choice["cost"]["currency"] for choice in found["alternatives"]} == {"EUR"}
    assert vllm.answers == []


def test_a_wrong_key_is_told_and_never_repeated(lab: Run, vllm: VllmDouble) -> None:
    ended = lab("ask", "-m", "server:lab", "--json", "Is it so?", LAB_KEY="sk-wrong-and-secret")
    assert ended.returncode == 3
    assert json.loads(ended.stdout)["error"]["code"] == 3
    assert "another key" in ended.stderr
    assert "secret" not in ended.stderr + ended.stdout


def test_a_key_that_is_not_there_is_a_usage_error(lab: Run) -> None:
    ended = lab("ask", "-m", "server:lab", "Is it so?", LAB_KEY="")
    assert ended.returncode == 2
    assert "LAB_KEY is not set" in ended.stderr


def test_a_server_with_too_much_to_do_is_asked_again(lab: Run, vllm: VllmDouble) -> None:
    vllm.backing.says.append("Yes.")
    vllm.faults.append(too_many())
    assert asked(lab, "Is it so?")["answer"] == "Yes."
    assert len(vllm.asked("/v1/completions")) == 2


def test_a_server_that_dies_leaves_a_part_and_the_next_turn_works(lab: Run, vllm: VllmDouble) -> None:
    vllm.backing.says += ["Herons nest by mills.", "All of it."]
    vllm.faults.append(Drop(6))
    ended = lab("ask", "-m", "server:lab", "--json", "Where do they nest?")
    found = json.loads(ended.stdout)
    assert (ended.returncode, found["finish"], found["cost"], found["kv"]) == (1, "error", None, None)
    assert "Herons nest by mills.".startswith(found["answer"])
    assert found["answer"]
    assert "broke off" in ended.stderr
    assert asked(lab, "-c", "Again?")["answer"] == "All of it."


def test_a_server_that_is_not_there_is_told_with_the_way_out(lab: Run, vllm: VllmDouble, home: Path) -> None:
    user_file(home).write_text('[server]\nurl = "http://127.0.0.1:9"\n')
    ended = lab("ask", "Is it so?")
    assert ended.returncode == 3
    assert "nothing answers at http://127.0.0.1:9" in ended.stderr


def test_offline_refuses_a_server(lab: Run, vllm: VllmDouble) -> None:
    ended = lab("ask", "--offline", "-m", "server:lab", "Is it so?")
    assert ended.returncode == 3
    assert "no connection is allowed (--offline)" in ended.stderr
    assert vllm.seen == []


def test_a_server_that_nobody_set_is_told_with_those_there_are(lab: Run) -> None:
    ended = lab("ask", "-m", "server:den", "Is it so?")
    assert ended.returncode == 3
    assert "server:den" in ended.stderr
    assert "there is server:lab" in ended.stderr


def test_servers_are_listed_looked_into_and_chosen(lab: Run, vllm: VllmDouble, home: Path) -> None:
    rows = json.loads(lab("models", "list", "--json").stdout)
    [row] = [row for row in rows if row["source"] == "server"]
    assert (row["name"], row["path"], row["bytes"]) == ("server:lab", f"{vllm.url}/v1", None)
    assert vllm.seen == []
    found = json.loads(lab("models", "info", "--json", "server:lab").stdout)
    assert (found["window"], found["architecture"]) == (512, "vLLM")
    assert found["metadata"]["counts"] == "exact"
    assert lab("models", "use", "server:lab").returncode == 0
    vllm.backing.says.append("Yes.")
    assert lab("ask", "Is it so?").stdout == "Yes.\n"


def test_measuring_is_about_files(lab: Run, vllm: VllmDouble) -> None:
    for words in (("bench", "--quick"), ("bench", "chat", "--quick")):
        ended = lab(*words, CTXCHAT_MODEL_PATH="server:lab")
        assert ended.returncode == 2
        assert "server:lab runs elsewhere" in ended.stderr
    assert vllm.answers == []


def test_doctor_tells_what_is_sent_where_and_no_key(lab: Run, vllm: VllmDouble) -> None:
    ended = lab("doctor", "--json", CTXCHAT_MODEL_PATH="server:lab")
    found = {one["check"]: one for one in json.loads(ended.stdout)}
    assert found["server"]["seen"].startswith(f"vLLM at {vllm.url} runs tiny, window 512 tokens")
    assert found["server key"]["seen"] == "the environment variable LAB_KEY"
    assert f"prompts to {vllm.url}/v1 (server:lab)" in found["connections"]["seen"]
    assert KEY not in ended.stdout + ended.stderr


def test_a_hosted_api_is_estimated_and_says_so(run: Run, openai_double: OpenAiDouble) -> None:
    openai_double.key = KEY
    openai_double.backing.says[:] = ["Yes."]
    ended = run(
        "ask", "-u", "Is it so?", "--max-tokens", "24",
        CTXCHAT_SERVER_URL=openai_double.url, CTXCHAT_SERVER_KEY=KEY, CTXCHAT_SERVER_MODEL="tiny",
        CTXCHAT_SERVER_PRICES="input = 1, output = 2",
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (0, "Yes.\n")
    assert ended.stderr.startswith("~")
    assert "USD" in ended.stderr


def test_no_llama_cpp_is_loaded_where_the_server_needs_none(
    lab: Run, run_anew: Run, vllm: VllmDouble, home: Path
) -> None:
    vllm.backing.says.append("At the mill.")
    (home / "heron.md").write_text("# Heron\n\nThe heron nests behind the old mill.\n")
    assert lab("notes", "add", "heron.md").returncode == 0
    words = ("ask", "-m", "server:lab", "-u", "Where does the heron nest?")
    ended = run_anew(*words, LAB_KEY=KEY, PYTHONVERBOSE="1")
    assert ended.stdout == "At the mill.\n"
    loaded = set(re.findall(r"^import '?([\w.]+)", ended.stderr, re.MULTILINE))
    assert "numpy" in loaded
    assert loaded & {"llama_cpp", "ctxchat.engine.llama.bindings"} == set()


def test_a_server_is_killed_and_started_again_in_the_middle_of_a_conversation(
    lab: Run, vllm: VllmDouble, home: Path
) -> None:
    vllm.backing.says += ["First.", "Second."]
    with running(VllmDouble(vllm.backing)) as served:
        port = int(served.url.rpartition(":")[2])
        user_file(home).write_text(f'[server.lab]\nurl = "{served.url}/v1"\n')
        assert asked(lab, "Is it so?")["answer"] == "First."
    gone = lab("ask", "-m", "server:lab", "-c", "And then?")
    assert (gone.returncode, gone.stdout) == (3, "")
    assert "start the server" in gone.stderr
    with running(VllmDouble(vllm.backing), port):
        found = asked(lab, "-c", "And then?")
    assert found["answer"] == "Second."
    assert isinstance(found["kv"], dict)
    assert "the server had cached nothing" in found["kv"]["miss"]
