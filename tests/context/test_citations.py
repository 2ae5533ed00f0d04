import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxchat.context.citations import cited, footnotes
from ctxchat.domain.receipt import Citation

NOTES = (
    Citation("n1", "a1", "work", "notes/plan.md:10-24"),
    Citation("n2", "a2", "work", "notes/x.md:1-9"),
    Citation("n3", "a3", source="8f2c"),
)
TEXTS = {
    "n1": "The deployment to Berlin happens on 14 March.",
    "n2": "Lunch is at noon, and the cook is Tom.",
    "n3": "The budget is 12,500.",
}


def found(answer: str) -> dict[str, bool | None]:
    return {citation.label: citation.overlaps for citation in cited(answer, NOTES, TEXTS) if citation.cited}


@pytest.mark.parametrize(
    ("answer", "labels"),
    [
        ("It is deployed in March [n1].", {"n1": True}),
        ("It is deployed in March. [n1] Nothing else is known.", {"n1": True}),
        ("It is deployed in March.[n1]\nTom cooks at noon [n2].", {"n1": True, "n2": True}),
        ("Berlin in March, and Tom the cook [n1, n2].", {"n1": True, "n2": True}),
        ("Berlin for 12,500 [n1][n3].", {"n1": True, "n3": True}),
        ("Berlin, Tom and the budget [N1–n3].", {"n1": True, "n2": True, "n3": True}),
        ("- Tom cooks [n2]\n- Berlin", {"n2": True}),
        ("Elephants are large [n2].", {"n2": False}),
        ("Elephants are large [n2]. Tom cooks [n2].", {"n2": True}),
        ("Mice are small. Elephants are large [n2]. Tom cooks.", {"n2": False}),
        ("Berlin (n1), n2 and [2] and array[0].", {}),
        ("Use `x[n1]`.\n\n```\nx = y[n2]\n```\n\nand ~~~\n[n3]", {"n3": False}),
        ("```\nnot closed [n1]\n", {}),
        ("Tom cooks in Berlin.\n\nSources: [n1], [n2], [n3]", {"n1": True, "n2": True, "n3": False}),
        ("No notes.", {}),
    ],
)
def test_labels_in_brackets_outside_code_are_cited(answer: str, labels: dict[str, bool]) -> None:
    assert found(answer) == labels


def test_notes_keep_their_order_and_made_up_labels_come_behind_in_theirs() -> None:
    citations = cited("A [n9], Berlin in March [n1], b [n7] and again [n9].", NOTES, TEXTS)
    assert [(c.label, c.id, c.cited) for c in citations] == [
        ("n1", "a1", True),
        ("n2", "a2", False),
        ("n3", "a3", False),
        ("n9", None, True),
        ("n7", None, True),
    ]
    assert [c.overlaps for c in citations] == [True, None, None, False, False]


def test_a_number_in_common_is_an_overlap_and_a_stop_word_is_not() -> None:
    assert found("14 days [n1]. It is the one at noon, not on [n3].") == {"n1": True, "n3": False}


def test_footnotes_name_the_source_and_what_is_wrong_with_it() -> None:
    answer = "Elephants are large [n2]. Berlin in March [n1]. More [n8]."
    assert footnotes(cited(answer, NOTES, TEXTS)) == (
        "[n1] notes/plan.md:10-24",
        "[n2] notes/x.md:1-9 (the answer shares no words with it)",
        "[n8] no such note",
    )


@given(st.text(alphabet="[n1]2,; `~\n.a-–", max_size=80))
def test_no_answer_loses_a_note(answer: str) -> None:
    citations = cited(answer, NOTES, TEXTS)
    assert [c.id for c in citations[:3]] == ["a1", "a2", "a3"]
    assert all(c.id is None and c.cited and c.overlaps is False for c in citations[3:])
    assert len({c.label for c in citations}) == len(citations)
