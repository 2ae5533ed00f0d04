"""Model files on a screen, over a folder of them."""

import tomllib
from pathlib import Path

import pytest

from ctxchat.engine.gguf.library import ModelLibrary
from ctxchat.service.model_in_use import OpenedModel
from ctxchat.service.model_service import ModelService
from ctxchat.service.servers import Servers
from ctxchat.tui.screens.models import ModelChosen, ModelsScreen
from ctxchat.tui.screens.text import TextScreen
from tests.support.bare_screen import Hand, shown
from tests.support.tiny_gguf import write_tiny_gguf

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model, one beside it, and a file that is none."""
    monkeypatch.setattr("ctxchat.engine.gguf.places.bundled_file", lambda: None)
    folder = home / "gguf"
    folder.mkdir()
    write_tiny_gguf(folder / "alpha.gguf")
    write_tiny_gguf(folder / "beta.gguf")
    (folder / "broken.gguf").write_bytes(b"GGUF")
    return folder


def never_opened(path: object) -> OpenedModel:
    raise AssertionError(path)


def screen(folder: Path, current: str | None = None) -> ModelsScreen:
    file, servers = folder.parent / "config.toml", Servers({}, never_opened)
    service = ModelService(ModelLibrary([folder], None), never_opened, file, servers)
    return ModelsScreen(lambda: service, current)


async def listed(hand: Hand) -> None:
    await hand.until(lambda: len(hand.table) == 3)


async def test_models_are_listed_with_what_they_take_and_why_one_cannot_be_used(folder: Path) -> None:
    async with shown(screen(folder, str(folder / "beta.gguf")), (120, 40)) as hand:
        await listed(hand)
        assert hand.names == ["alpha", "● beta", "broken"]
        assert all(cell and cell != "–" for cell in hand.table[0])
        assert hand.table[2][5] == "cannot be read"
        await hand.press("down")
        assert str(folder / "broken.gguf") in hand.text("#detail").replace("\n", "")
        await hand.press("enter")
        assert hand.said.startswith("broken cannot be used: ")
        assert not hand.closed


async def test_enter_chooses(folder: Path) -> None:
    async with shown(screen(folder)) as hand:
        await listed(hand)
        await hand.press(*"bet", "enter")
        assert hand.closed == [ModelChosen(str(folder / "beta.gguf"), "beta")]


async def test_all_of_a_model_is_shown(folder: Path) -> None:
    async with shown(screen(folder)) as hand:
        await listed(hand)
        await hand.press("ctrl+t")
        await hand.until(lambda: isinstance(hand.app.screen, TextScreen))
        assert "general.architecture" in hand.text("#text")
        await hand.press("escape", "escape")
        assert hand.closed == [None]


async def test_what_is_wrong_with_a_file_is_told_in_its_place(folder: Path) -> None:
    async with shown(screen(folder)) as hand:
        await listed(hand)
        await hand.press(*"brok", "ctrl+t")
        await hand.until(lambda: "broken.gguf" in hand.said)


async def test_a_model_is_made_the_one_that_is_used(folder: Path) -> None:
    file = folder.parent / "config.toml"
    async with shown(screen(folder)) as hand:
        await listed(hand)
        await hand.press("down", "ctrl+s")
        await hand.until(lambda: "from the next start on" in hand.said)
        await hand.press("down", "ctrl+s")
        await hand.until(lambda: "broken.gguf" in hand.said)
    assert tomllib.loads(file.read_text()) == {"model": {"path": str(folder / "beta.gguf")}}


async def test_without_models_it_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctxchat.engine.gguf.places.bundled_file", lambda: None)
    async with shown(screen(home)) as hand:
        await hand.until(lambda: hand.said == "there are no model files")
        await hand.press("enter", "ctrl+t", "escape")
        assert hand.closed == [None]
