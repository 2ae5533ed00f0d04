"""What makes a passage worth recalling, as arithmetic over all passages of a scope at once.

    own   = cosine + 0.3 · BM25(passage) / most
    s     = own + 0.5 · BM25(passage and its neighbours) / most + 0.8 · mean(own of the six around it)
            + 0.15 · ln(words)
            + 0.3 where the question names its speaker alone, + 0.3 where it names its date,
            + 0.15 where it asks when and the passage speaks of a time
    score = s + 0.5 · (the best s of its sitting) + 0.3 where the question names its speaker alone

Scores are added, each over its greatest, and not merged by rank: how far the first is ahead says
much. How each part was arrived at, and what was tried beside it, is in docs/recall.md.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Found = NDArray[np.bool_]

SATURATION, LENGTH_SHARE, RAREST = 1.2, 0.75, 1e-6
"""BM25 as FTS5 computes it: k1, b, and the least a word can say."""

OWN_WORDS, NEAR_WORDS, AROUND, LENGTH, SITTING = 0.3, 0.5, 0.8, 0.15, 0.5
SPEAKER, DATE, TIME = 0.3, 0.3, 0.15
REACH = 3
"""How far around a passage its subject is looked for: three before it, and three behind."""

LONG = 100
"""Words beyond which a passage is not worth more for being longer: hardly a turn is longer, and notes
must not stand above turns for their size."""

MOST_SAMPLED, FEW = 1000, 20


@dataclass(frozen=True, slots=True)
class Ground:
    """Passages in an order in which neighbours are beside each other: arrays of one length.

    `words` counts the words of each. `joined` says whether it follows the one before: as the next
    message of a path, the next note of a document. `sittings` numbers the stretch of talk, or the
    document, that it belongs to. `speakers` holds the place of its speaker in `names`, -1 for none.
    """

    words: Floats
    joined: NDArray[np.bool_]
    sittings: Ints
    speakers: Ints
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.words)

    def followed_by(self, other: "Ground") -> "Ground":
        """Both, one behind the other. Only the first may have speakers."""
        moved = other.sittings + (self.sittings.max() + 1 if len(self) else 0)
        return Ground(
            np.concatenate([self.words, other.words]),
            np.concatenate([self.joined, other.joined]),
            np.concatenate([self.sittings, moved]),
            np.concatenate([self.speakers, other.speakers]),
            self.names,
        )


def with_neighbours(values: Floats, joined: NDArray[np.bool_]) -> Floats:
    """Each value with those of the passage before and the passage behind it, along the last axis."""
    total = values.astype(np.float64)
    total[..., 1:] += values[..., :-1] * joined[1:]
    total[..., :-1] += values[..., 1:] * joined[1:]
    return total


def rarity(counts: Floats) -> Floats:
    """What each word says, by how few of the passages hold it: of the shape (words,)."""
    passages, holding = counts.shape[1], np.count_nonzero(counts, axis=1)
    says: Floats = np.maximum(np.log((passages - holding + 0.5) / (holding + 0.5)), RAREST)
    return says


def bm25(counts: Floats, words: Floats) -> Floats:
    """Scores of passages of so many `words`; `counts` says how often each holds each word of the
    query, of the shape (words of the query, passages)."""
    mean = words.mean() if len(words) else 1.0
    room = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * words / max(mean, 1.0))
    score: Floats = rarity(counts) @ (counts * (SATURATION + 1) / (counts + room))
    return score


def matched(counts: Floats) -> Floats:
    """The share of what the query's words say that each passage holds, from 0 to 1.

    A word says something here also where most passages hold it: among three notes every word is
    frequent, and the one that holds all the question's words holds all it says.
    """
    passages, holding = counts.shape[1], np.count_nonzero(counts, axis=1)
    says = np.log1p((passages + 1) / (holding + 1))
    share: Floats = says @ (counts > 0) / max(says.sum(), RAREST)
    return share


def centre(vectors: Floats) -> Floats:
    """What vectors have in common, to be taken from each: it is manner and not matter. Of few vectors
    little of the mean is taken, since it would be their matter too."""
    some = vectors[:: len(vectors) // MOST_SAMPLED + 1]
    common: Floats = some.sum(axis=0) / (len(some) + FEW)
    return common


def cosines(vectors: Floats, query: Floats, common: Floats | float = 0.0) -> Floats:
    """Cosines to the query once what is common is taken away; 0 for a vector of zeros."""
    known = vectors.any(axis=1, keepdims=True)
    sought = query - common if query.any() else query
    apart = (vectors - common) * known
    lengths = np.linalg.norm(apart, axis=1) * np.linalg.norm(sought)
    cosine: Floats = apart @ sought / np.maximum(lengths, 1e-9)
    return cosine


@dataclass(frozen=True, slots=True)
class Lexical:
    """What the query's words say for each passage: BM25 of its `own` words, and of those `near` it,
    its neighbours' included."""

    own: Floats
    near: Floats

    def best(self, among: Found, limit: int) -> Ints:
        """Places of the passages that score most by words alone; those that score nothing are not among
        them."""
        total = self.over_most(among)
        held = np.flatnonzero(among & (total > 0))
        if len(held) <= limit:
            return held
        return held[np.argpartition(total[held], -limit)[-limit:]]

    def over_most(self, found: Found) -> Floats:
        return OWN_WORDS * _over_most(self.own, found) + NEAR_WORDS * _over_most(self.near, found)


def lexical(ground: Ground, counts: Floats) -> Lexical:
    """BM25 over the whole ground; `counts` says how often each passage holds each word of the query,
    of the shape (words of the query, passages)."""
    near_words = with_neighbours(ground.words, ground.joined)
    near = bm25(with_neighbours(counts, ground.joined), near_words)
    return Lexical(bm25(counts, ground.words), near)


@dataclass(frozen=True, slots=True)
class Cues:
    """Passages that a question points at: by the name of their `speaker`, by their date, and for telling
    a time where it asks when."""

    speaker: Found
    date: Found
    time: Found


def scores(ground: Ground, words: Lexical, likeness: Floats, cues: Cues, found: Found) -> Floats:
    """What passages are ranked by. `likeness` is their cosine. Those that are not `found` score minus
    infinity, and nothing is measured by them."""
    own = likeness + OWN_WORDS * _over_most(words.own, found)
    single = own + NEAR_WORDS * _over_most(words.near, found) + AROUND * around(own, ground)
    single += LENGTH * np.log(np.clip(ground.words, 1, LONG))
    single += SPEAKER * cues.speaker + DATE * cues.date + TIME * cues.time
    best = np.full(ground.sittings.max(initial=0) + 1, -np.inf)
    np.maximum.at(best, ground.sittings[found], single[found])
    total = np.full(len(ground), -np.inf)
    total[found] = (single + SITTING * best[ground.sittings] + SPEAKER * cues.speaker)[found]
    return total


def around(values: Floats, ground: Ground) -> Floats:
    """The mean of the values around each passage, without its own. What lies beyond the end of its
    sitting counts as nothing."""
    runs = np.cumsum(~ground.joined)
    total = np.zeros(len(values))
    for step in range(1, REACH + 1):
        same = (runs[step:] == runs[:-step]) & (ground.sittings[step:] == ground.sittings[:-step])
        total[step:] += values[:-step] * same
        total[:-step] += values[step:] * same
    return total / (2 * REACH)


def _over_most(values: Floats, found: Found) -> Floats:
    most = values[found].max(initial=0.0)
    return values / most if most > 0 else values
