"""`ctxchat ask` while its server is killed."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ctxchat.domain.conversation import Role
from ctxchat.store.conversations import SqliteConversations
from tests.cli.conftest import COMMAND, Ran
from tests.support.servers.real import RealServer

pytestmark = pytest.mark.model
QUESTION = "Count from one to one hundred, in words."


def test_a_server_killed_in_the_middle_of_an_answer_is_told_and_the_answer_goes_on_later(
    smollm2_llama_server: RealServer,
    environment: dict[str, str],
    home: Path,
    run: Callable[..., Ran],
    record: SqliteConversations,
) -> None:
    server = smollm2_llama_server
    environment["CTXCHAT_SERVER_URL"] = server.url
    command = [*COMMAND, "ask", "--events", "--max-tokens", "300", "--temperature", "0", QUESTION]
    try:
        with subprocess.Popen(command, env=environment, cwd=home, stdout=subprocess.PIPE) as process:
            assert process.stdout
            line = b""
            while b'"text_generated"' not in line:
                line = process.stdout.readline()
                assert line, "the turn ended before"
            server.kill()
            *_, last = process.stdout
        away = run("ask", "-c", "--json", "Are you there?")
    finally:
        server.restart()
    receipt = json.loads(last)
    assert (process.returncode, receipt["finish"]) == (1, "error")
    assert all(words in receipt["error"]["message"] for words in ("broke off", "kept"))
    assert receipt["answer"]
    assert (away.returncode, json.loads(away.stdout)["finish"]) == (3, "error")
    assert f"nothing answers at {server.url}" in away.stderr
    back = run("ask", "-c", "--json", "--max-tokens", "16", "And then?")
    assert back.returncode == 0, back.stderr
    latest = record.latest()
    assert latest
    said = [(message.role, message.spoken) for message in record.path(latest.id)]
    assert said == [
        (Role.USER, QUESTION),
        (Role.ASSISTANT, receipt["answer"]),
        (Role.USER, "Are you there?"),
        (Role.USER, "And then?"),
        (Role.ASSISTANT, json.loads(back.stdout)["answer"]),
    ]
