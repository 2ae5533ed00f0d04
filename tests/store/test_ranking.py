"""What passages are ranked by, as arithmetic."""

import sqlite3

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxchat.store import ranking
from ctxchat.store.ranking import Cues, Found, Ground, Lexical

TEXTS = [
    "the red fox",
    "a fox and a fox and another fox",
    "nothing of the kind",
    "red red wine, and much of it",
    "a hen",
    "a cow and a calf",
    "a sheep",
]


def ground(count: int, sittings: list[int] | None = None, joined: list[bool] | None = None) -> Ground:
    return Ground(
        words=np.full(count, 10.0),
        joined=np.array([n > 0 for n in range(count)] if joined is None else joined),
        sittings=np.array(sittings or [0] * count),
        speakers=np.full(count, -1),
    )


def none(count: int) -> Found:
    return np.zeros(count, np.bool_)


def scored(
    of: Ground, likeness: list[float], found: list[bool] | None = None, **cues: Found
) -> ranking.Floats:
    count = len(of)
    told = Cues(**{name: cues.get(name, none(count)) for name in ("speaker", "date", "time")})
    words = Lexical(np.zeros(count), np.zeros(count))
    here = np.ones(count, np.bool_) if found is None else np.array(found)
    return ranking.scores(of, words, np.array(likeness), told, here)


def test_words_score_as_they_do_in_fts5() -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE VIRTUAL TABLE t USING fts5 (text)")
        connection.executemany("INSERT INTO t VALUES (?)", [(text,) for text in TEXTS])
        rows = connection.execute("SELECT rowid, -bm25(t) FROM t WHERE t MATCH 'red OR fox'").fetchall()
    connection.close()
    theirs = np.zeros(len(TEXTS))
    for rowid, score in rows:
        theirs[rowid - 1] = score
    split = [text.replace(",", "").split() for text in TEXTS]
    counts = np.array([[words.count(word) for words in split] for word in ("red", "fox")], float)
    ours = ranking.bm25(counts, np.array([len(words) for words in split], float))
    assert ours == pytest.approx(theirs, rel=1e-6)


def test_a_passage_lends_its_words_to_its_neighbours_and_no_further() -> None:
    joined = np.array([False, True, True, False, True])
    near = ranking.with_neighbours(np.array([[0.0, 0, 1, 0, 0]]), joined)
    assert near.tolist() == [[0, 1, 1, 0, 0]]


def test_a_rare_word_counts_for_more_of_the_question_than_a_common_one() -> None:
    counts = np.array([[1.0] * 4 + [0] * 6, [0.0] * 4 + [1] + [0] * 5])
    shares = ranking.matched(counts)
    assert 0 < shares[0] < shares[4] < 1
    assert shares[0] + shares[4] == pytest.approx(1)


def test_a_word_that_nobody_said_is_missed() -> None:
    counts = np.array([[1.0] + [0] * 9, [0.0] * 10])
    assert ranking.matched(counts)[0] < 0.5


def test_without_words_nothing_is_matched() -> None:
    assert ranking.matched(np.zeros((0, 3))).tolist() == [0, 0, 0]
    assert ranking.bm25(np.zeros((0, 3)), np.ones(3)).tolist() == [0, 0, 0]


def test_what_all_vectors_share_does_not_count_as_likeness() -> None:
    manner, matter = np.eye(2)
    vectors = np.array([manner * 3 + matter] + [manner * 3 - matter] * 200)
    query = manner * 3 + matter * 0.9
    plain = ranking.cosines(vectors, query)
    apart = ranking.cosines(vectors, query, ranking.centre(vectors))
    assert plain[0] - plain[1] < 0.3
    assert apart[0] - apart[1] > 1


def test_the_one_vector_there_is_keeps_its_matter() -> None:
    vector = np.array([[1.0, 0.0]])
    assert ranking.cosines(vector, vector[0], ranking.centre(vector)) == pytest.approx([1.0])


def test_a_vector_of_zeros_is_like_nothing() -> None:
    vectors = np.array([[0.0, 0.0], [1.0, 0.0]])
    assert ranking.cosines(vectors, np.array([1.0, 0.0]), ranking.centre(vectors))[0] == 0
    assert ranking.cosines(vectors, np.zeros(2)).tolist() == [0, 0]


def test_the_sitting_of_the_best_lifts_its_others() -> None:
    scores = scored(ground(4, [0, 0, 1, 1], [False] * 4), [0.9, 0.1, 0.1, 0.1])
    assert scores.argmax() == 0
    assert scores[1] > scores[2]


def test_what_stands_among_likely_passages_is_likelier() -> None:
    scores = scored(ground(9), [0, 0.8, 0, 0.8, 0, 0, 0, 0, 0])
    assert scores[2] > scores[8]


def test_what_was_said_around_counts_within_a_sitting_alone() -> None:
    around = ranking.around(np.array([6.0, 0, 0, 0, 0, 0]), ground(6, [0, 0, 1, 1, 1, 1]))
    assert around.tolist() == [0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("cue", ["speaker", "date", "time"])
def test_what_a_question_points_at_goes_first(cue: str) -> None:
    pointed = np.array([False, True])
    scores = scored(ground(2, [0, 1], [False, False]), [0.5, 0.5], **{cue: pointed})
    assert scores[1] > scores[0]


def test_what_is_not_to_be_found_neither_scores_nor_measures_the_others() -> None:
    of = ground(3, [0, 0, 1], [False] * 3)
    scores = scored(of, [9.0, 0.5, 0.5], [False, True, True])
    assert scores[0] == -np.inf
    assert scores[1] == scores[2]


def test_the_best_by_words_are_those_with_words() -> None:
    words = Lexical(np.array([0.0, 3, 2, 1]), np.zeros(4))
    assert sorted(words.best(np.ones(4, np.bool_), 2)) == [1, 2]
    assert sorted(words.best(np.array([True, False, True, True]), 9)) == [2, 3]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.data())
def test_scores_are_finite_for_all_that_is_found(likeness: list[float], data: st.DataObject) -> None:
    count = len(likeness)
    flags = st.lists(st.booleans(), min_size=count, max_size=count)
    sittings = data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    found = data.draw(flags)
    scores = scored(ground(count, sittings, data.draw(flags)), likeness, found)
    assert np.isfinite(scores).tolist() == found
