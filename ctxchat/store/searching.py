"""One question over all that a scope reaches, inside one transaction."""

import dataclasses
import sqlite3
from dataclasses import dataclass

import numpy as np

from ctxchat.domain.passage import Hit, Passage, PassageKind, Scope
from ctxchat.domain.ports import Embedder
from ctxchat.store import ranking
from ctxchat.store.cues import TIME_WORDS, asks_when, named_dates, named_speaker
from ctxchat.store.grounds import Part, counts_of
from ctxchat.store.passages import passages_of, serials_of
from ctxchat.store.postings import stems_of
from ctxchat.store.ranking import Floats, Found, Ints
from ctxchat.store.vector_rows import VectorRows

MOST_BY_WORDS = 300
"""Notes, and parts of attached text, that are looked at closely for the words they hold."""


class Field:
    """What a scope reaches, as it was read, and what was learnt of it by the searches so far."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.rows = VectorRows(part.serials)
        self.passages: dict[int, Passage] = {}
        self.basis = part.basis()
        self._common: list[Floats] = []
        self._timed: Found | None = None

    def common(self) -> list[Floats]:
        """What the vectors of turns, and those of notes, have in common; known once `basis` is."""
        if not self._common:
            self._common = [self.rows.centre(places) if len(places) else np.zeros(1) for places in self.basis]
        return self._common

    def timed(self, connection: sqlite3.Connection) -> Found:
        """Passages that speak of a time."""
        if self._timed is None:
            stems = stems_of(connection, [TIME_WORDS])[0]
            self._timed = np.asarray(counts_of(connection, self.part.serials, stems).any(axis=0))
        return self._timed


@dataclass(frozen=True, slots=True)
class Query:
    """A question: its text, the words to look up as the index knows them, and its vector."""

    text: str
    stems: list[str]
    vector: Floats


@dataclass(frozen=True, slots=True)
class Search:
    """A question to a field. `made` fills with the vectors that had to be made, by the ids of their
    passages."""

    connection: sqlite3.Connection
    embedder: Embedder
    field: Field
    query: Query
    scope: Scope
    made: dict[str, bytes] = dataclasses.field(default_factory=dict)

    def hits(self, nearest: list[str], limit: int | None) -> list[Hit]:
        """Passages, best first. `nearest` are ids of notes that an index of vectors gives."""
        ground = self.field.part.ground
        counts = counts_of(self.connection, self.field.part.serials, self.query.stems)
        words = ranking.lexical(ground, counts)
        found = self._found(words, nearest)
        places = np.flatnonzero(found)
        self._know(places)
        likeness = np.zeros(len(ground))
        likeness[places] = self._likeness(places)
        totals = ranking.scores(ground, words, likeness, self._cues(), found)
        best = places[np.argsort(-totals[places], kind="stable")][:limit]
        return self._read(best, totals[best], ranking.matched(counts)[best])

    def _found(self, words: ranking.Lexical, nearest: list[str]) -> Found:
        """All turns the scope does not leave out; of data and notes those with words of the question, and
        the nearest notes."""
        part = self.field.part
        turns, others = np.zeros((2, len(part.serials)), np.bool_)
        others[part.notes.start :] = True
        for number, place in enumerate(part.places):
            if place.kind not in self.scope.kinds:
                continue
            if place.kind is not PassageKind.TURN:
                others[number] = True
            elif place.message not in self.scope.leaving_out:
                turns[number] = True
        turns[words.best(others, MOST_BY_WORDS)] = True
        serials = list(serials_of(self.connection, nearest).values())
        turns |= others & np.isin(part.serials, serials)
        return turns

    def _cues(self) -> ranking.Cues:
        """What the question says of who spoke, and when."""
        part, text = self.field.part, self.query.text
        speaker = named_speaker(part.ground.names, text)
        dates = named_dates(text)
        nowhere = date = np.zeros(len(part.serials), np.bool_)
        if dates:
            date = nowhere.copy()
            date[: len(part.places)] = [dates.hold(place.at) for place in part.places]
        return ranking.Cues(
            speaker=nowhere if speaker is None else part.ground.speakers == speaker,
            date=date,
            time=self.field.timed(self.connection) if asks_when(text) else nowhere,
        )

    def _know(self, places: Ints) -> None:
        """Have the vectors of these places, and of those to learn from."""
        wanted = np.unique(np.concatenate([places, *self.field.basis]))
        self.made.update(self.field.rows.fill(self.connection, wanted, self.embedder))

    def _likeness(self, places: Ints) -> Floats:
        """Cosines to the question without what turns, or notes, have in common."""
        first = int(np.searchsorted(places, self.field.part.notes.start))
        parts = zip((places[:first], places[first:]), self.field.common(), strict=True)
        return np.concatenate(
            [self.field.rows.likeness(of_kind, self.query.vector, common) for of_kind, common in parts]
        )

    def _read(self, best: Ints, totals: Floats, shares: Floats) -> list[Hit]:
        passages, part = self.field.passages, self.field.part
        serials = part.serials[best].tolist()
        passages.update(passages_of(self.connection, (s for s in serials if s not in passages)))
        cosines = self.field.rows.likeness(best, self.query.vector)
        return [
            Hit(
                passages[serial],
                float(score),
                float(cosine),
                float(share),
                int(part.ground.sittings[place]) if place < part.notes.start else None,
            )
            for serial, place, score, cosine, share in zip(
                serials, best.tolist(), totals, cosines, shares, strict=True
            )
        ]
