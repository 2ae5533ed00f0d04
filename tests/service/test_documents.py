"""Files become texts: PDF, HTML, plain ones, and those that are none."""

from pathlib import Path

import pytest

from ctxchat.context.chunks.chunk import chunks_of
from ctxchat.domain.errors import UsageError
from ctxchat.service.documents.reading import UnreadableError, text_of
from ctxchat.service.documents.walk import walk

FONTS = "/Resources << /Font << /F1 3 0 R >> >>"


def pdf(*pages: str) -> bytes:
    """A PDF with a line of text a page."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        content = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] {FONTS} /Contents {5 + 2 * number} 0 R >>",
            f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        ]
    written, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(written))
        written += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    count = len(objects) + 1
    trailer = f"trailer << /Size {count} /Root 1 0 R >>\nstartxref\n{len(written)}\n%%EOF\n"
    return written + f"xref\n0 {count}\n0000000000 65535 f \n{table}{trailer}".encode()


def test_the_pages_of_a_pdf_are_read() -> None:
    read = text_of(pdf("The cellar is damp", "The roof is dry"), "house.pdf")
    assert read.text == "The cellar is damp\n\nThe roof is dry"
    assert text_of(pdf("By its first bytes"), "download").text == "By its first bytes"


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"%PDF-1.4\nnothing of the kind", "cannot be read"), (pdf(""), "without text")],
    ids=["damaged", "scanned"],
)
def test_a_pdf_without_text_says_so(content: bytes, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        text_of(content, "scan.pdf")


def test_html_is_cut_at_its_headings_and_scripts_are_left_out() -> None:
    head = b"<html><head><title>T</title></head><body><script>alert(1)</script>"
    page = (
        head + b"<h1>Oil</h1><p>Change &amp; check.</p><h2>Tyres</h2><ul><li>2.4 bar</li></ul></body></html>"
    )
    read = text_of(page, "car.html")
    assert "alert" not in read.text
    assert read.text.startswith("# Oil\n\nChange & check.\n\n## Tyres")
    assert "2.4 bar" in read.text
    assert chunks_of(read.text, read.name)[0].first == 1


def test_text_that_is_no_utf8_is_read_with_replacements_and_binary_is_not_read() -> None:
    assert text_of(b"\xef\xbb\xbfplain", "a.md").text == "plain"
    read = text_of(b"caf\xe9", "a.txt")
    assert (read.text, read.replaced) == ("caf\ufffd", True)
    with pytest.raises(UnreadableError, match="binary"):
        text_of(b"\x7fELF\0\0", "a.out")


@pytest.mark.parametrize(("name", "library"), [("a.pdf", "pypdf"), ("a.html", "markdownify")])
def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, name: str, library: str) -> None:
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(UnreadableError, match=r'pip install "ctxchat\[documents\]"'):
        text_of(b"<p>text", name)


def test_a_folder_is_walked_without_what_is_hidden_and_links_to_folders(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for name in ("b.md", "a.md", "inner/c.md", ".hidden"):
        (tmp_path / name).write_text("text")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "link.md").symlink_to(tmp_path / "a.md")
    found = walk([tmp_path, tmp_path / "a.md"])
    names = [str(path.relative_to(tmp_path)) for path in found.files]
    assert names == ["a.md", "b.md", "inner/c.md", "link.md"]
    assert {path.name for path in found.left_out} == {".hidden", "loop"}
    with pytest.raises(UsageError, match=r"none\.md: No such file"):
        walk([tmp_path / "none.md"])
