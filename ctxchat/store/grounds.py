"""What is searched, read from the store as arrays: a conversation's path, or the notes of collections."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from ctxchat.domain.passage import PassageKind, Scope
from ctxchat.store.passages import Place, along_path, notes_of
from ctxchat.store.postings import places_of
from ctxchat.store.ranking import MOST_SAMPLED, Floats, Ground, Ints

PAUSE = timedelta(hours=1)
"""A silence that ends a sitting: longer than a meal or an errand, shorter than what parts two
occasions on one day."""


@dataclass(frozen=True, slots=True)
class Part:
    """Passages as arrays, with their serials. Those along a path come first, turns before the parts of
    attached texts: `places` tells more of each. Notes come behind them."""

    ground: Ground
    serials: Ints
    places: tuple[Place, ...] = ()

    @property
    def notes(self) -> range:
        """Where the notes stand."""
        return range(len(self.places), len(self.serials))

    def basis(self) -> list[Ints]:
        """Places to learn from what vectors have in common: all turns, and notes spread evenly."""
        turns = [n for n, place in enumerate(self.places) if place.kind is PassageKind.TURN]
        notes = self.notes[:: len(self.notes) // MOST_SAMPLED + 1]
        return [np.array(turns, np.int64), np.array(notes, np.int64)]


def read_part(connection: sqlite3.Connection, scope: Scope) -> Part:
    """All that a scope reaches, what it leaves out included."""
    path = path_part(connection, scope.conversation or "")
    if PassageKind.NOTE not in scope.kinds or scope.collections == ():
        return path
    notes = notes_part(connection, scope.collections)
    serials = np.concatenate([path.serials, notes.serials])
    return Part(path.ground.followed_by(notes.ground), serials, path.places)


def path_part(connection: sqlite3.Connection, conversation: str) -> Part:
    """Turns along the path of a conversation, and behind them the parts of texts attached to it."""
    along = along_path(connection, conversation)
    turns = [place for place in along if place.kind is PassageKind.TURN]
    attached = [place for place in along if place.kind is not PassageKind.TURN]
    places = (*turns, *attached)
    sittings = _sittings(along)
    names = tuple(dict.fromkeys(place.name for place in turns if place.name))
    of_name = {name: number for number, name in enumerate(names)}
    ground = Ground(
        np.array([place.words for place in places], np.float64),
        np.array([n > 0 for n in range(len(turns))] + _follows([p.message for p in attached]), np.bool_),
        np.array([sittings[place.message] for place in places], np.int64),
        np.array([of_name.get(place.name or "", -1) for place in places], np.int64),
        names,
    )
    return Part(ground, np.array([place.serial for place in places], np.int64), places)


def notes_part(connection: sqlite3.Connection, collections: Sequence[str] | None) -> Part:
    """Notes of collections, a document's behind each other in their order; a document is a sitting."""
    rows = np.frombuffer(notes_of(connection, collections), np.int64).reshape(-1, 4)
    serials, words, documents = rows[:, 0], rows[:, 1], rows[:, 2]
    ground = Ground(
        words.astype(np.float64),
        np.concatenate([[False], documents[1:] == documents[:-1]])[: len(rows)],
        np.unique(documents, return_inverse=True)[1],
        np.full(len(rows), -1),
    )
    return Part(ground, serials)


def counts_of(connection: sqlite3.Connection, serials: Ints, stems: Sequence[str]) -> Floats:
    """How often each passage holds each stemmed word: of the shape (stems, passages)."""
    order = np.argsort(serials)
    ascending = serials[order]
    counts = np.zeros((len(stems), len(serials)))
    for row, stem in zip(counts, stems, strict=True):
        found = np.frombuffer(places_of(connection, stem), np.int64)
        at = np.searchsorted(ascending, found)
        here = at < len(ascending)
        here[here] = ascending[at[here]] == found[here]
        row[order] = np.bincount(at[here], minlength=len(serials))
    return counts


def _follows(messages: Sequence[str]) -> list[bool]:
    """Whether a part of attached text came with the same message as the part before it."""
    return [number > 0 and message == messages[number - 1] for number, message in enumerate(messages)]


def _sittings(along: Sequence[Place]) -> dict[str, int]:
    """The sitting of each message on a path, 0 the first. Times that run backwards, as in what was
    carried together, part sittings too."""
    sittings: dict[str, int] = {}
    for before, place in zip((None, *along), along, strict=False):
        number = sittings[before.message] if before else 0
        paused = before is not None and abs(place.at - before.at) >= PAUSE
        sittings.setdefault(place.message, number + paused)
    return sittings
