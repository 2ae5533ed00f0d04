"""PDF through pypdf."""

import logging
from io import BytesIO

from ctxchat.service.documents.reading import UnreadableError, missing_extra


def text_of_pdf(content: bytes) -> str:
    """The text of all pages, a blank line between two. Raises UnreadableError."""
    try:
        import pypdf
    except ImportError:
        raise missing_extra("pypdf, which reads PDF,") from None
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(BytesIO(content))
        locked = reader.is_encrypted and not reader.decrypt("")
        pages = [] if locked else [page.extract_text().strip() for page in reader.pages]
    except Exception as error:  # whatever a damaged file makes the parser stumble over
        raise UnreadableError(f"PDF that cannot be read ({type(error).__name__})") from error
    if locked:
        raise UnreadableError("PDF that needs a password")
    text = "\n\n".join(page for page in pages if page)
    if not text:
        raise UnreadableError("PDF without text (scanned pages?)")
    return text
