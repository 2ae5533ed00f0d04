"""That each command does what its line in the help says, in a chat whose answers are these."""

from tests.support.chats import ask, seen
from tests.support.hand import Hand, opens, proves, send_only

ANSWERS = ["Do:\n\n```sh\nls -l\n```\n", "Second answer.", "A summary of what was said so far."]

opens("help", "Shift-Enter, Ctrl-J")
opens("conversations", "First?")
opens("plan", "cached keys")
opens("context", "First?")
opens("notes", "notes")
opens("settings", "origin")


@proves("new")
async def _(hand: Hand) -> None:
    await hand.write("/new voyage")
    await hand.until(lambda: hand.app.asking.conversation is None)
    assert "voyage" in seen(hand.app)
    assert hand.answers == []


@proves("rename")
async def _(hand: Hand) -> None:
    await hand.write("/rename harbour")
    await hand.sees("harbour")
    await hand.write("/rename")
    await hand.says("/rename NAME")


@proves("fork")
async def _(hand: Hand) -> None:
    original = hand.app.asking.conversation
    await hand.write("/fork")
    await hand.until(lambda: hand.app.asking.conversation != original)
    await hand.until(lambda: len(hand.answers) == 1)


@proves("export")
async def _(hand: Hand) -> None:
    file = hand.folder / "out.jsonl"
    await hand.write(f"/export {file}")
    await hand.until(file.exists)
    await hand.says("written to")
    await hand.write(f"/export {file}")
    await hand.says("is there already")
    await hand.write("/export out.pdf")
    await hand.says(".md, .jsonl or .json")


@proves("model")
async def _(hand: Hand) -> None:
    conversation = hand.app.asking.conversation
    await hand.write("/model alpha")
    await hand.until(lambda: hand.app.services.chat.model is not None)
    await ask(hand.pilot, "And now?")
    assert hand.answers[-1] == "From alpha."
    assert hand.app.asking.conversation == conversation


@proves("system")
async def _(hand: Hand) -> None:
    await hand.write("/system")
    await hand.says("system: Be.")
    await hand.write("/system Be brief.")
    await hand.says("/new begins another")
    await hand.pilot.press("ctrl+u")
    await hand.write("/new")
    await hand.until(lambda: hand.app.asking.conversation is None)
    await hand.write("/system Be brief.")
    await hand.until(lambda: hand.app.asking.system == "Be brief.")


@proves("think")
async def _(hand: Hand) -> None:
    await hand.write("/think off")
    await hand.until(lambda: hand.app.asking.think is False)
    await hand.write("/think 300")
    await hand.until(lambda: hand.app.asking.think_budget == 300)
    await hand.write("/think maybe")
    await hand.says("/think on, /think off, /think auto, or /think TOKENS")
    assert hand.app.chat.composer.draft.text == "/think maybe"


@proves("temperature")
async def _(hand: Hand) -> None:
    await hand.write("/temperature 0.3")
    await hand.until(lambda: hand.app.asking.sampling.temperature == 0.3)
    await hand.write("/temperature nan")
    await hand.says("a number from 0 up")


@proves("again")
async def _(hand: Hand) -> None:
    await hand.write("/again")
    await hand.until(lambda: hand.answers == ["Second answer."])


@proves("continue")
async def _(hand: Hand) -> None:
    await hand.write("/continue")
    await hand.says("there is no rest of it")


@proves("edit")
async def _(hand: Hand) -> None:
    await hand.write("/edit")
    await hand.until(lambda: hand.app.chat.composer.draft.text == "First?")
    assert hand.answers == []


@proves("delete")
async def _(hand: Hand) -> None:
    await hand.write("/delete")
    await hand.until(lambda: hand.answers == [])


@proves("undo")
async def _(hand: Hand) -> None:
    await hand.write("/delete")
    await hand.until(lambda: hand.answers == [])
    await hand.write("/undo")
    await hand.until(lambda: len(hand.answers) == 1)


@proves("copy")
async def _(hand: Hand) -> None:
    await hand.write("/copy")
    await hand.until(lambda: hand.app.clipboard.startswith("Do:"))


@proves("code")
async def _(hand: Hand) -> None:
    await hand.write("/code")
    await hand.until(lambda: hand.app.clipboard == "ls -l")


@proves("compact")
async def _(hand: Hand) -> None:
    await ask(hand.pilot, "Second?")
    await hand.write("/compact the sea")
    await hand.sees("folded the oldest")


@proves("summary")
async def _(hand: Hand) -> None:
    await ask(hand.pilot, "Second?")
    await hand.write("/compact")
    await hand.sees("folded the oldest")
    await hand.write("/summary")
    await hand.until(lambda: hand.app.screen is not hand.app.chat)
    await hand.sees("User: First?")


@proves("pin")
async def _(hand: Hand) -> None:
    record = hand.app.services.conversations
    await hand.write("/pin keep this")
    await hand.until(lambda: record.resolve(hand.app.asking.conversation).pins)
    await hand.write("/pin")
    await hand.says("give the text: /pin TEXT")


@proves("remember")
async def _(hand: Hand) -> None:
    await hand.write("/remember I sail.")
    await hand.says("remembered, in all conversations")
    assert [note.text for note in hand.app.services.memory.listing()] == ["I sail."]
    await hand.write("/remember")
    await hand.says("give the text: /remember TEXT")


@proves("forget")
async def _(hand: Hand) -> None:
    memory = hand.app.services.memory
    note = memory.add("I sail.")
    await hand.write("/forget")
    await hand.says("give the id")
    await hand.write("/forget nosuch")
    await hand.until(lambda: hand.app.chat.composer.draft.text == "/forget nosuch")
    await hand.write(f"/forget {note}")
    await hand.until(lambda: not memory.listing())


@proves("attach")
async def _(hand: Hand) -> None:
    file = hand.folder / "two words.txt"
    file.write_text("keys")
    await hand.write(f"/attach {file}")
    await hand.until(lambda: [one.text for one in hand.app.chat.composer.draft.attachments] == ["keys"])
    await hand.write("/copy")
    assert hand.app.chat.composer.draft.attachments
    await hand.write(f"/attach {file}.gone")
    await hand.says("No such file")
    assert hand.app.chat.composer.draft.text == f"/attach {file}.gone"


@proves("data")
async def _(hand: Hand) -> None:
    file = hand.folder / "rows.csv"
    file.write_text("a,b\n1,2\n")
    await hand.write(f"/data {file}")
    await hand.until(lambda: hand.app.chat.composer.draft.data)
    await hand.write("/data")
    await hand.says("give a path")


@proves("theme")
async def _(hand: Hand) -> None:
    await hand.write("/theme ctxchat-light")
    await hand.until(lambda: hand.app.theme == "ctxchat-light")
    await hand.write("/theme nosuch")
    await hand.says("there is no theme nosuch")


@proves("meters")
async def _(hand: Hand) -> None:
    await hand.write("/meters")
    await hand.until(lambda: not hand.app.chat.meters[0].display or "Context" not in seen(hand.app))
    await hand.write("/meters")
    await hand.sees("Context")


@proves("quit")
async def _(hand: Hand) -> None:
    await send_only(hand, "/quit")
    assert hand.app.stopped
