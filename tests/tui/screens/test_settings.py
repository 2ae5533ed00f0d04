"""Settings on a screen, over files of their own."""

import tomllib
from pathlib import Path

import pytest

from ctxchat.settings.load import load_settings
from ctxchat.settings.schema import KEYS, Settings
from ctxchat.tui.screens.settings import SettingsChanged, SettingsScreen
from tests.support.bare_screen import Hand, shown

pytestmark = pytest.mark.anyio


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    file.write_text('[kv] # cells\nmax_disk = "20GB"\n\n[sampling]\nseed = 7\n')
    return file


def screen(file: Path, **variables: str) -> SettingsScreen:
    def load() -> Settings:
        return load_settings(
            {"model.threads": 3}, {"CTXCHAT_CONFIG": str(file), **variables}, cwd=file.parent / "elsewhere"
        )

    return SettingsScreen(load, file)


def row(hand: Hand, key: str) -> tuple[str, ...]:
    return next(found for found in hand.table if found[0] == key)


async def listed(hand: Hand) -> None:
    await hand.until(lambda: len(hand.table) == len(KEYS))


async def test_every_setting_is_shown_with_its_value_and_origin(file: Path) -> None:
    async with shown(screen(file), (120, 40)) as hand:
        await listed(hand)
        assert row(hand, "model.threads")[1:] == ("3", "--threads")
        assert row(hand, "sampling.seed")[1] == "7"
        assert row(hand, "sampling.seed")[2].endswith("config.toml:5")
        assert row(hand, "kv.type_k")[1:] == ('"f16"', "default")
        assert hand.said == f"your file: {file}"
        await hand.press("escape")
        assert hand.closed == [None]


async def test_a_setting_is_found_by_what_it_is_for_and_says_how_it_is_changed(file: Path) -> None:
    async with shown(screen(file)) as hand:
        await listed(hand)
        await hand.type("flash attention")
        await hand.until(lambda: hand.names == ["kv.flash_attn"])
        assert "once: --flash-attn · always: CTXCHAT_KV_FLASH_ATTN" in hand.text("#detail")


async def test_a_value_is_written_and_its_line_shown(file: Path) -> None:
    async with shown(screen(file), (120, 40)) as hand:
        await listed(hand)
        await hand.type("context.budget")
        await hand.press("enter")
        await hand.type("2048")
        await hand.press("enter")
        await hand.until(lambda: hand.table[0][1] == "2048")
        assert hand.said.startswith("context.budget is written; it holds from the next start on")
        assert hand.table[0][2].endswith("config.toml:8")
        await hand.press("escape")
        assert hand.closed == [SettingsChanged(("context.budget",))]
    assert tomllib.loads(file.read_text())["context"] == {"budget": 2048}


async def test_what_was_typed_stays_as_it_was_typed(file: Path) -> None:
    async with shown(screen(file)) as hand:
        await listed(hand)
        await hand.type("max_disk")
        await hand.press("enter", "ctrl+u")
        await hand.type("5 GB")
        await hand.press("enter")
        await hand.until(lambda: hand.table[0][1] == "5000000000")
    assert tomllib.loads(file.read_text())["kv"] == {"max_disk": "5 GB"}


async def test_a_value_that_cannot_be_is_told_and_not_written(file: Path) -> None:
    before = file.read_text()
    async with shown(screen(file)) as hand:
        await listed(hand)
        await hand.type("sampling.seed")
        await hand.press("enter", "ctrl+u", "x", "enter")
        assert hand.said == "must be a whole number from 0 to 4294967294"
        await hand.press("ctrl+u", "enter")
        assert hand.said.startswith("give a value")
        await hand.press("escape")
    assert file.read_text() == before


async def test_a_setting_goes_back_to_its_default(file: Path) -> None:
    async with shown(screen(file)) as hand:
        await listed(hand)
        await hand.type("sampling.seed")
        await hand.press("ctrl+d")
        await hand.until(lambda: hand.table[0][1] == "–")
        await hand.press("ctrl+d")
        assert hand.said == f"sampling.seed is not set in {file}"
    assert tomllib.loads(file.read_text())["sampling"] == {}


async def test_that_a_stronger_source_holds_is_told(file: Path) -> None:
    async with shown(screen(file, CTXCHAT_KV_TYPE_K="q8_0")) as hand:
        await listed(hand)
        await hand.type("kv.type_k")
        await hand.press("enter", "ctrl+u")
        await hand.type("bf16")
        await hand.press("enter")
        await hand.until(
            lambda: hand.said.startswith("kv.type_k is written, and CTXCHAT_KV_TYPE_K is stronger")
        )


async def test_settings_that_cannot_be_read_are_a_line(file: Path) -> None:
    file.write_text("[kv]\ntype_k = 3\n")
    async with shown(screen(file)) as hand:
        await hand.until(lambda: "config.toml:2: kv.type_k" in hand.said)
