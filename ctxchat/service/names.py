"""What conversations are called."""

from ctxchat.domain.errors import UsageError

_NAME_LENGTH = 40


def first_words(question: str) -> str:
    """A conversation's first name: a line of its question's first words, cut at a word."""
    line = _one_line(question)
    if len(line) > _NAME_LENGTH:
        words, _, _ = line[: _NAME_LENGTH + 1].rpartition(" ")
        line = words or line[:_NAME_LENGTH]
    return line or "untitled"


def checked_name(name: str) -> str:
    """A name as it can be shown and typed. Raises UsageError where nothing is left of it."""
    line = _one_line(name)
    if not line:
        raise UsageError("a conversation's name cannot be empty")
    return line


def _one_line(text: str) -> str:
    kept = (character for character in text if character.isprintable() or character.isspace())
    return " ".join("".join(kept).split())
