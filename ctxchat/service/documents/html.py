"""HTML through Beautiful Soup and markdownify."""

from ctxchat.service.documents.reading import UnreadableError, missing_extra

_NO_TEXT = ("script", "style", "template", "noscript", "svg", "head", "nav")


def text_of_html(content: bytes) -> str:
    """The page as Markdown, so that it is cut at its headings. Raises UnreadableError."""
    try:
        from bs4 import BeautifulSoup
        from markdownify import MarkdownConverter
    except ImportError:
        raise missing_extra("markdownify, which reads HTML,") from None
    try:
        page = BeautifulSoup(content, "html.parser")
        for element in page(_NO_TEXT):
            element.decompose()
        text = MarkdownConverter(heading_style="ATX", strip=["img"]).convert_soup(page)
    except RecursionError as error:
        raise UnreadableError("HTML that is nested too deeply") from error
    return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"
