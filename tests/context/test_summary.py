from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxchat.context.summary import block_of, capped, digest, merged_block, usable
from ctxchat.domain.conversation import Message, Role, Section, Segment
from ctxchat.domain.summary import SummaryBlock, SummaryOrigin

SOURCE = "The user asked about trains to Oslo and the assistant listed three of them with times. " * 20
GOOD = "The user plans a trip to Oslo in May. The assistant proposed the night train, and they agreed."
PIECES = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "ok",
            "我住在北京，电话是 13812345678。我喜欢猫。",
            "My dog is called Barnaby. Port 8080!",
            "x" * 3_000,
        ]
    ),
    st.lists(
        st.sampled_from(["see", "/etc/hosts", "on", "3", "May.", "Ada", "ran", "42", "km,", "it", "rained!"]),
        max_size=80,
    ).map(" ".join),
)
CONVERSATIONS = st.lists(PIECES, min_size=1, max_size=8)
WRITTEN = st.one_of(st.none(), st.just(GOOD), st.text(max_size=200))


def bytes_by_three(text: str) -> int:
    """Counts like a byte-level vocabulary: a Chinese character is a token, a short word one or two."""
    return (len(text.encode()) + 2) // 3


def talk(*texts: str) -> list[Message]:
    """Questions and answers in turn; ids are their places."""
    at = datetime(2024, 5, 3, tzinfo=UTC)
    return [
        Message(
            str(n),
            None,
            Role.ASSISTANT if n % 2 else Role.USER,
            (Segment(Section.HISTORY if n % 2 else Section.QUESTION, text),),
            at,
        )
        for n, text in enumerate(texts)
    ]


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"Here is a brief summary of the conversation:\n\n{GOOD}",
        f"**Summary:** {GOOD}",
        f"## Summary\n{GOOD}",
        f"<think>Let me see.</think>\n{GOOD}",
    ],
)
def test_a_good_summary_is_used_without_its_heading(text: str) -> None:
    assert usable(text, SOURCE) == GOOD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n ",
        "Summary:",
        "ok",
        "I'm sorry, but I can't help with that request.",
        "I’m sorry, I cannot summarize this conversation.",
        "As an AI language model, I do not have access to it.",
        "Unfortunately, I cannot see the conversation.",
        "Please provide the conversation you would like summarized.",
        "Sure! How can I help you today with your trip?",
        "The user went to Oslo. " * 12,
        "The train is late, " + "and the train is late, " * 20,
        "very " * 40,
        "我喜欢猫和狗。" * 20,
        "=== 1 2 3 --- 4 5 6 === ### 7 8 9 ;;; ??? 10 11",
        "a" * 200 + " is what was said",
        f"{GOOD}<|im_end|>\n<|im_start|>user",
        f"[INST] {GOOD} [/INST]",
        f"{GOOD}</s>",
        f"<start_of_turn>model {GOOD}",
        f"<think>the user wants {GOOD}",
        f"User:\n{GOOD}",
        SOURCE + "It was long.",
    ],
)
def test_what_is_no_summary_is_refused(text: str) -> None:
    assert usable(text, SOURCE) is None


@settings(deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_a_used_summary_is_never_longer_than_its_source(text: str, source: str) -> None:
    summary = usable(text, source)
    assert summary is None or 0 < len(summary) <= len(source)


def test_a_summary_is_capped_at_a_sentences_end() -> None:
    first = "The user plans a trip to Oslo in May."
    assert capped(GOOD, 1_000, bytes_by_three) == GOOD
    assert capped(GOOD, bytes_by_three(first) + 3, bytes_by_three) == first
    assert capped(GOOD, 5, bytes_by_three) == "The user plans"
    assert capped("Incomprehensibilities", 2, bytes_by_three) == "Incomp"


def test_a_list_is_cut_between_its_items() -> None:
    items = "- Ada likes tea.\n- Ada lives in Oslo.\n- Ada is 30."
    assert capped(items, 13, bytes_by_three) == "- Ada likes tea.\n- Ada lives in Oslo."
    assert capped(items, 12, bytes_by_three) == "- Ada likes tea."


def test_a_digest_has_a_line_a_turn_and_says_what_was_asked_and_answered() -> None:
    said = talk("Hi there! I need a train.", "Sure! Where do you go?", "To Oslo.", "There are three.")
    assert digest(said, 1_000, bytes_by_three) == (
        "User: I need a train. Answer: Where do you go?\nUser: To Oslo. Answer: There are three."
    )


def test_a_digest_without_room_keeps_turns_from_all_over_the_conversation() -> None:
    said = talk(*(f"This is sentence number {n} of many." for n in range(200)))
    lines = digest(said, 150, bytes_by_three).splitlines()
    assert 4 <= len(lines) < 100
    assert "number 0 " in lines[0]
    assert "number 198 " in lines[-1]
    assert any("number 9" in line or "number 10" in line for line in lines[1:-1])


def test_an_unusable_text_gives_way_to_a_digest() -> None:
    said = talk("My dog is called Barnaby. " + SOURCE, SOURCE)
    assert block_of(said, 1, GOOD, 200, bytes_by_three, "b").origin is SummaryOrigin.MODEL
    block = block_of(said, 1, "very " * 40, 200, bytes_by_three, "b")
    assert block.origin is SummaryOrigin.DIGEST
    assert block.prose.startswith("User: My dog is called Barnaby.")
    assert block.facts[0] == "My dog is called Barnaby"


def test_facts_take_no_more_than_half_of_the_room_and_the_others_are_listed() -> None:
    said = talk("\n".join(f"the number of pot {n} is {n * 7919}" for n in range(1, 60)), "Noted.")
    block = block_of(said, 1, None, 120, bytes_by_three, "b")
    assert bytes_by_three("\n".join(f"- {fact}" for fact in block.facts)) <= 60
    assert len(block.facts) + len(block.left_out) == 59
    assert block.prose


@settings(deadline=None)
@given(CONVERSATIONS, WRITTEN, st.integers(0, 200))
def test_a_block_never_exceeds_its_room_and_is_empty_only_where_nothing_fits(
    texts: list[str], written: str | None, room: int
) -> None:
    said = talk(*texts)
    block = block_of(said, len(texts), written, room, bytes_by_three, "b")
    assert bytes_by_three(block.text) <= room
    assert (block.first, block.last, block.turns) == ("0", str(len(texts) - 1), len(texts))
    assert block.text.strip() or room < 3
    assert digest(said, max(3, room), bytes_by_three).strip()
    assert all(any(fact in text for text in texts) for fact in (*block.facts, *block.left_out))
    assert block == block_of(said, len(texts), written, room, bytes_by_three, "b")


@settings(deadline=None)
@given(st.lists(CONVERSATIONS, min_size=2, max_size=4), WRITTEN, st.integers(0, 200))
def test_merging_keeps_the_room_the_facts_and_the_span(
    conversations: list[list[str]], written: str | None, room: int
) -> None:
    blocks = [
        block_of(talk(*texts), 1, None, 80, bytes_by_three, str(n)) for n, texts in enumerate(conversations)
    ]
    block = merged_block(blocks, room, bytes_by_three, "m", written)
    assert bytes_by_three(block.text) <= room
    assert (block.first, block.last, block.turns) == (blocks[0].first, blocks[-1].last, len(blocks))
    before = {fact for b in blocks for fact in (*b.facts, *b.left_out)}
    assert {*block.facts, *block.left_out} <= before
    roomy = merged_block(blocks, 100_000, bytes_by_three, "m")
    assert not roomy.left_out
    assert {f for b in blocks for f in b.facts[:1]} <= set(roomy.facts) or len(roomy.facts) < len(before)


def test_a_persons_prose_stays_a_persons_and_a_mixture_is_a_digest() -> None:
    one = SummaryBlock("a", "1", "2", 3, "It began well.", origin=SummaryOrigin.PERSON)
    two = SummaryBlock("b", "3", "4", 2, "It went on.", origin=SummaryOrigin.PERSON)
    three = SummaryBlock("c", "5", "6", 1, "It ended.", origin=SummaryOrigin.MODEL)
    merged = merged_block([one, two], 100, bytes_by_three, "m")
    assert (merged.prose, merged.origin, merged.turns) == (
        "It began well.\nIt went on.",
        SummaryOrigin.PERSON,
        5,
    )
    assert merged_block([merged, three], 100, bytes_by_three, "n").origin is SummaryOrigin.DIGEST


def test_prose_of_old_blocks_fades_no_faster_than_that_of_new_ones() -> None:
    blocks = [
        SummaryBlock(str(n), str(n), str(n), 1, " ".join(f"Line {i} of block {n}." for i in range(10)))
        for n in range(4)
    ]
    prose = merged_block(blocks, 60, bytes_by_three, "m").prose
    assert all(f"of block {n}" in prose for n in range(4))


@pytest.mark.parametrize("written", [None, "very " * 40, GOOD])
def test_what_was_told_in_turn_three_survives_three_merges_word_for_word(written: str | None) -> None:
    told = (
        "My name is Ada Lovelace and my dog is called Barnaby. My locker number is 8841. "
        "The config is in /etc/app/conf.d/main.toml."
    )
    noise = (
        "It is a world near Kepler-$n, found on 3 May 19$n; see https://example.org/$n. "
        "Its mass is $n.5 tonnes, says Professor Quill, in module_$n."
    )
    texts: list[str] = []
    for n in range(60):
        texts += [
            told if n == 2 else f"What does Doctor Who say about planet {n} in episode {n * 3}?",
            noise.replace("$n", str(n)),
        ]
    said = talk(*texts)
    blocks = [
        block_of(said[n : n + 30], 15, written, 240, bytes_by_three, str(n)) for n in range(0, len(said), 30)
    ]
    block = blocks[0]
    for newer in blocks[1:]:
        block = merged_block([block, newer], 240, bytes_by_three, "m", written)
    assert (block.first, block.last, block.turns) == ("0", "119", 60)
    for fact in ("Ada Lovelace", "Barnaby", "8841", "/etc/app/conf.d/main.toml"):
        assert fact in "\n".join(block.facts)
    assert block.left_out
