"""A chat template that only the server has is seen as one that is here."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ctxchat.domain.conversation import Role
from ctxchat.domain.errors import ModelError
from ctxchat.engine.server.templates import ServedTemplate
from tests.engine.server.conftest import Load
from tests.support.servers.backing import Backing
from tests.support.servers.double import running
from tests.support.servers.vllm_double import VllmDouble
from tests.support.tiny_gguf import CHATML, Shape, write_tiny_gguf

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
ROLES = (Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.USER)
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + CHATML


@pytest.fixture(params=[CHATML, NO_SYSTEM], ids=["ChatML", "no system"])
def double(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VllmDouble]:
    backing = Backing(write_tiny_gguf(tmp_path / "t.gguf", Shape(template=request.param)))
    with running(VllmDouble(backing)) as double:
        yield double
    backing.close()


def test_it_does_what_it_does_here(double: VllmDouble, load: Load) -> None:
    here, there = double.backing.template, load(double.url).template
    assert isinstance(there, ServedTemplate)
    assert there.behaviour == here.behaviour
    roles = ROLES if there.behaviour.takes_system else ROLES[1:]
    for answer in (True, False):
        assert there.scaffold(roles, at=NOON, think=None, answer=answer) == here.scaffold(
            roles, at=NOON, think=None, answer=answer
        )


def test_what_it_refuses_is_told_as_here(double: VllmDouble, load: Load) -> None:
    template = load(double.url).template
    if template.behaviour.takes_system:
        pytest.skip("it takes all there is")
    with pytest.raises(ModelError, match="the chat template refuses"):
        template.scaffold(ROLES, at=NOON, think=None)


def test_what_it_said_is_not_asked_again(double: VllmDouble, load: Load) -> None:
    first = load(double.url).template
    first.scaffold(ROLES[1:], at=NOON, think=None)
    behaviour = first.behaviour
    double.seen.clear()
    again = load(double.url).template
    assert again.behaviour == behaviour
    again.scaffold(ROLES[1:], at=NOON, think=None)
    assert [one.path for one in double.seen] == ["/v1/models"]
