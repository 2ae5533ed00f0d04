"""What an addition of notes did."""

from ctxchat.domain.passage import Changes


def changed(changes: Changes, collection: str) -> str:
    """What was done, in a line."""
    parts = [
        f"{amount:,} {word}"
        for amount, word in (
            (changes.added, "added"),
            (changes.changed, "changed"),
            (changes.unchanged, "unchanged"),
            (changes.vanished, "removed"),
        )
        if amount
    ]
    return f'{", ".join(parts)}: {changes.notes:,} new notes in "{collection}"'
