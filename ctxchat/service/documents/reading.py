"""A file's bytes as text, by the kind of file its name says it is."""

import codecs
from dataclasses import dataclass
from pathlib import PurePath

_HEAD_BYTES = 8192
_HTML = frozenset((".html", ".htm", ".xhtml"))
_PDF_MARK = b"%PDF-"


class UnreadableError(Exception):
    """There is no text to be had; says why, so that several files can share one line."""


@dataclass(frozen=True, slots=True)
class ReadText:
    """`name` says of what kind the text is now; `replaced` that some of it was not valid UTF-8."""

    text: str
    name: str
    replaced: bool = False


def text_of(content: bytes, name: str) -> ReadText:
    """Text of a file: of PDF its lines page by page, of HTML Markdown, of others what they hold.
    Raises UnreadableError."""
    suffix = PurePath(name).suffix.lower()
    if suffix == ".pdf" or content.startswith(_PDF_MARK):
        from ctxchat.service.documents.pdf import text_of_pdf

        return ReadText(text_of_pdf(content), f"{name}.txt")
    if b"\0" in content[:_HEAD_BYTES]:
        raise UnreadableError("binary")
    if suffix in _HTML:
        from ctxchat.service.documents.html import text_of_html

        return ReadText(text_of_html(content), f"{name}.md")
    return _decoded(content.removeprefix(codecs.BOM_UTF8), name)


def _decoded(content: bytes, name: str) -> ReadText:
    try:
        return ReadText(content.decode("utf-8"), name)
    except UnicodeDecodeError:
        return ReadText(content.decode("utf-8", "replace"), name, replaced=True)


def missing_extra(library: str) -> UnreadableError:
    return UnreadableError(f'{library} is not installed: pip install "ctxchat[documents]"')
