"""What a terminal sends, as text that Textual can take for keys and pastes."""

from codecs import getincrementaldecoder

from ctxchat.display.plain_text import clean

PASTE, PASTE_END = "\x1b[200~", "\x1b[201~"


class TerminalInput:
    """Decodes bytes as they come.

    A byte that is not UTF-8 would end Textual's thread of keys, and an escape inside a paste would let it
    take what follows for keys, Enter among them: so the one is replaced and the other left out.
    """

    def __init__(self) -> None:
        self._utf8 = getincrementaldecoder("utf-8")("replace")
        self._pasting = False
        self._before = ""
        self._held = ""

    def decode(self, content: bytes, final: bool = False) -> str:
        rest, passed = self._utf8.decode(content, final), ""
        while rest:
            text, rest = self._pasted(rest) if self._pasting else self._typed(rest)
            passed += text
        return passed

    def _typed(self, text: str) -> tuple[str, str]:
        """What is passed on at once, since a lone escape is a key, up to where a paste begins; the rest."""
        seen = self._before + text
        at = seen.find(PASTE)
        if at < 0:
            self._before = seen[-len(PASTE) + 1 :]
            return text, ""
        self._pasting, self._before = True, ""
        end = at + len(PASTE)
        return seen[len(seen) - len(text) : end], seen[end:]

    def _pasted(self, text: str) -> tuple[str, str]:
        """What is passed on of a paste up to its end, and the rest. The beginning of an end is held back."""
        text, self._held = self._held + text, ""
        body, end, rest = text.partition(PASTE_END)
        if end:
            self._pasting = False
        else:
            self._held = next((PASTE_END[:n] for n in range(5, 0, -1) if body.endswith(PASTE_END[:n])), "")
            body = body.removesuffix(self._held)
        return "\r".join(map(clean, body.split("\r"))) + end, rest


def decode_leniently() -> None:
    """Let Textual read the terminal so."""
    from textual.drivers import linux_driver

    linux_driver.getincrementaldecoder = lambda _: TerminalInput  # type: ignore[attr-defined,assignment]
