"""Names of collections as Chroma takes them: 3 to 512 characters of [a-zA-Z0-9._-], a letter or a digit
at both ends.

A name that is one of these stays as it is. Any other is written between "ctxchat-" and "-0": ASCII
that Chroma does not take as _XX, and the rest by punycode, so that 100 characters always fit.
"""

import re

_TAKEN = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]")
_PREFIX, _SUFFIX = "ctxchat-", "-0"
_ESCAPED = re.compile(r"[\x00-\x7f]")


def chroma_name(name: str) -> str:
    """What a collection is called on the server."""
    if _TAKEN.fullmatch(name) and not name.startswith(_PREFIX):
        return name
    escaped = _ESCAPED.sub(lambda found: _escape(found[0]), name)
    return f"{_PREFIX}{escaped.encode('punycode').decode()}{_SUFFIX}"


def shown_name(name: str) -> str:
    """What a collection of the server is called here; the inverse of `chroma_name`."""
    if name.startswith(_PREFIX) and name.endswith(_SUFFIX):
        try:
            escaped = name[len(_PREFIX) : -len(_SUFFIX)].encode().decode("punycode")
            shown = re.sub("_([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), escaped)
        except ValueError:
            return name
        if chroma_name(shown) == name:
            return shown
    return name


def _escape(character: str) -> str:
    kept = character.isalnum() or character == "-"
    return character if kept else f"_{ord(character):02X}"
