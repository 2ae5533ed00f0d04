"""Trims a diff: context to a line, and what no one reads in it to a count."""

import re

from ctxchat.context.filters.lines import Lines, amount, mark

RULE = "diff context"

CONTEXT = 1

_UNREAD = re.compile(
    r"(?:^|/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|[\w.-]+\.lock"
    r"|go\.sum|flake\.lock|[\w.-]+\.min\.(?:js|css)|[\w.-]+\.map|[\w.-]*[._-](?:generated|pb2?)\.\w+)$"
)
_BINARY = "GIT binary patch"
_FILE = re.compile(r"diff --(?:git|cc|combined) |Index: ")
_HUNK = re.compile(r"@@+ ")
_HUNK_SIZES = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


def trimmed(lines: Lines) -> Lines:
    """The diff with each file's header and every changed line. Lock files, generated files and binary
    patches become a mark with their counts."""
    texts = lines.texts
    result = Lines()
    result.add(mark(f"unchanged lines more than {CONTEXT} away from a change are left out"), 0, 0, 0)
    place = 0
    while place < len(texts):
        if _FILE.match(texts[place]):
            place = _take_head(lines, place, result)
        elif _HUNK.match(texts[place]):
            end = _end_of_hunk(texts, place)
            _take_hunk(lines, place, end, result)
            place = end
        else:
            result.take(lines, place)
            place += 1
    return result


def _take_head(lines: Lines, place: int, result: Lines) -> int:
    """Takes the header of a file and, where nobody reads it, a count of its changes; returns the
    place behind."""
    texts = lines.texts
    end = place
    while end < len(texts) and (end == place or _in_head(texts[end])):
        result.take(lines, end)
        end += 1
    if end < len(texts) and texts[end].startswith(_BINARY):
        return _count(lines, end, _end_of_binary(texts, end), "of a binary patch", result)
    if _UNREAD.search(texts[place].rstrip()):
        stop = end
        while stop < len(texts) and _HUNK.match(texts[stop]):
            stop = _end_of_hunk(texts, stop)
        if stop > end:
            return _count(lines, end, stop, "of a lock file or a generated one", result)
    return end


def _in_head(text: str) -> bool:
    return not (
        _FILE.match(text) or _HUNK.match(text) or text.startswith(("commit ", _BINARY)) or not text.strip()
    )


def _count(lines: Lines, start: int, end: int, what: str, result: Lines) -> int:
    inside = lines.texts[start:end]
    added, removed = (sum(text.startswith(sign) for text in inside) for sign in "+-")
    changes = f": +{added:,} −{removed:,}" if "binary" not in what else ""
    stands = sum(lines.stands[start:end])
    result.add(mark(f"{amount(stands, 'line')} {what}{changes}"), start, stands, 0)
    return end


def _end_of_binary(texts: list[str], place: int) -> int:
    while place < len(texts) and not _FILE.match(texts[place]) and not texts[place].startswith("commit "):
        place += 1
    return place


def _end_of_hunk(texts: list[str], place: int) -> int:
    """The place behind a hunk by the sizes its header names, or by how its lines begin."""
    sizes = _HUNK_SIZES.match(texts[place])
    place += 1
    if sizes is None:
        while place < len(texts) and texts[place][:1] in ("+", "-", " ", "\\"):
            place += 1
        return place
    old, new = (int(size) if size is not None else 1 for size in sizes.groups())
    while place < len(texts) and (old > 0 or new > 0 or texts[place].startswith("\\")):
        sign = texts[place][:1]
        if sign not in ("+", "-", " ", "\\", ""):
            break
        old -= sign in ("-", " ", "")
        new -= sign in ("+", " ", "")
        place += 1
    return place


def _take_hunk(lines: Lines, start: int, end: int, result: Lines) -> None:
    """Takes what changed and the lines next to it; a gap between changes is marked, the ends are not."""
    changed = [index for index in range(start + 1, end) if lines.texts[index][:1] in ("+", "-", "\\")]
    near = {at for index in changed for at in range(index - CONTEXT, index + CONTEXT + 1)}
    kept = [start, *sorted(at for at in near if start < at < end)]
    for index, following in zip(kept, [*kept[1:], end], strict=True):
        result.take(lines, index)
        left_out = sum(lines.stands[index + 1 : following])
        if left_out and start < index and following < end:
            result.add(mark(amount(left_out, "line")), index + 1, left_out, 0)
        else:
            result.stands[-1] += left_out
