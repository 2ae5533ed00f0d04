"""Attached text that does not fit, over a scripted model and a real store."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from ctxchat.context.attachments import Attachment
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Section
from ctxchat.domain.events import Compacted, Filtered, PromptBuilt, Saving
from ctxchat.domain.passage import PassageKind
from ctxchat.domain.sampling import Sampling
from ctxchat.service.policy import WindowPolicy
from ctxchat.service.request import AskRequest
from ctxchat.store.database import Database
from ctxchat.store.passages import along_path, passages_of
from tests.support.desk import Desk
from tests.support.scripted import ScriptedModel

LINES = [
    f"2026-03-01 09:{n // 60:02}:{n % 60:02} worker {n % 7} finished job {n} in {n * 13 % 97} ms"
    for n in range(400)
]
LINES[217] = "2026-03-01 09:03:37 worker 3 ERROR cannot open /srv/mail/box: permission denied"
LOG = "\n".join(LINES) + "\n"


def request(question: str, *attachments: Attachment, **changes: object) -> AskRequest:
    sampling = Sampling(max_tokens=64)
    return AskRequest(question, attachments, resume=True, sampling=sampling, **changes)  # type: ignore[arg-type]


def desk_of(folder: Path, window: int = 4096, **policy: object) -> Desk:
    return Desk(folder, ScriptedModel(window=window), policy=WindowPolicy(**policy))  # type: ignore[arg-type]


def data_kept(desk: Desk, folder: Path) -> str:
    """What was attached, as it is kept whole."""
    latest = desk.record.latest()
    assert latest
    with Database(folder / "store.sqlite3").reading() as connection:
        places = along_path(connection, latest.id)
        serials = [place.serial for place in places if place.kind is PassageKind.DATA]
        found = passages_of(connection, serials)
    return "".join(found[serial].text for serial in serials)


def test_text_that_fits_beside_everything_else_is_sent_as_it_came(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    receipt = desk.ask(request("What failed?", Attachment("log", LOG[:2000])))
    assert receipt.filters == ()
    assert receipt.prompt
    assert receipt.prompt.sections[Section.DATA] == 2000


def test_text_that_does_not_fit_is_filtered_into_its_room_and_kept_whole(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    events = list(desk.events(request("Which error was there?", Attachment("log", LOG))))
    (filtered,) = [event for event in events if isinstance(event, Filtered)]
    (built,) = [event for event in events if isinstance(event, PromptBuilt)]
    prompt = built.prompt
    assert prompt.total <= prompt.usable
    assert filtered.steps[0].before == len(LOG)
    assert all(former.after == later.before for former, later in pairwise(filtered.steps))
    assert filtered.steps[-1].after == prompt.sections[Section.DATA] == len(filtered.texts[0])
    assert "cannot open /srv/mail/box" in filtered.texts[0]
    assert data_kept(desk, tmp_path) == LOG
    recorded = [s.text for s in desk.path()[0].segments if s.section is Section.DATA]
    assert recorded == list(filtered.texts)


def test_the_next_turn_finds_the_filtered_text_in_the_cache(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    first = desk.ask(request("Which error was there?", Attachment("log", LOG)))
    second = desk.ask(request("Who was it?"))
    assert first.prompt
    assert second.kv
    assert second.kv.reused >= first.prompt.total


def test_several_texts_share_the_room_and_a_small_one_stays_whole(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    small = Attachment("notes.txt", "The box belongs to Ingrid.\n")
    (filtered,) = [
        event
        for event in desk.events(request("Whose box failed?", Attachment("log", LOG), small))
        if isinstance(event, Filtered)
    ]
    assert filtered.texts[1] == small.text


def test_without_filters_what_does_not_fit_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    for changes, policy in (({"filters": False}, {}), ({}, {"folds": False})):
        desk = desk_of(tmp_path / str(policy), **policy)
        receipt = desk.ask(request("Which error?", Attachment("log", LOG), **changes))
        assert receipt.error
        assert receipt.error.code == 4
        assert receipt.filters == ()
        (question,) = desk.path()
        assert LOG in [segment.text for segment in question.segments]


def test_a_turn_that_is_not_recorded_filters_and_leaves_no_word(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    receipt = desk.ask(request("Which error?", Attachment("log", LOG), record=False))
    assert receipt.filters
    assert not list(tmp_path.glob("store.sqlite3"))


def test_a_table_is_sent_by_its_rows_with_what_was_asked_computed(tmp_path: Path) -> None:
    rows = "\n".join(f"{n},city {n % 9},{n}.50" for n in range(1, 801))
    desk = desk_of(tmp_path)
    table = Attachment("prices.csv", f"id,city,price\n{rows}\n")
    receipt = desk.ask(request("What is the sum of price?", data=(table,)))
    assert receipt.prompt
    assert receipt.prompt.total <= receipt.prompt.usable
    sent = "".join(piece.text for piece in receipt.prompt.pieces if piece.section is Section.DATA)
    assert "320800" in sent.replace(",", "")
    assert "of 800 rows" in sent
    assert data_kept(desk, tmp_path) == table.text


def test_a_small_table_is_sent_whole_though_that_takes_more_than_its_file(
    tmp_path: Path,
) -> None:
    table = Attachment("t.csv", "a,b\n1,2\n3,4\n")
    for attached in ((), (Attachment("log", LOG),)):
        receipt = desk_of(tmp_path).ask(request("What is the sum of a?", *attached, data=(table,)))
        assert receipt.prompt
        sent = "".join(piece.text for piece in receipt.prompt.pieces if piece.section is Section.DATA)
        assert "Showing 2 of 2 rows:\na,b\n1,2\n3,4\n" in sent
        assert "sum of a: 4" in sent


def test_data_of_past_turns_gives_way_before_anything_that_was_said(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.ask(request("Which error was there?", Attachment("log", LOG[:1900])))
    compactions = 0
    for number in range(40):
        receipt = desk.ask(request(f"Question {number} about it, please?"))
        compactions += sum(isinstance(e, Compacted) for e in desk.service.tidy(Cancel()))
        assert receipt.prompt
        if not receipt.prompt.sections[Section.DATA]:
            break
    assert compactions == 0
    assert receipt.prompt
    assert receipt.prompt.verbatim_turns == number + 1
    (dropped,) = receipt.prompt.dropped
    assert (dropped.section, dropped.tokens) == (Section.DATA, 1900)
    assert data_kept(desk, tmp_path) == LOG[:1900]
    assert receipt.prompt.total <= receipt.prompt.usable


def test_data_is_kept_once_however_it_leaves_the_window(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.ask(request("Which error was there?", Attachment("log", LOG)))
    latest = desk.record.latest()
    assert latest
    fork = desk.record.fork(latest.id)
    for conversation in (latest.id, fork.id):
        blocks = len(desk.record.blocks(conversation))
        for number in range(40):
            session = replace(
                request(f"Question {number} about it, please?"), resume=False, session=conversation
            )
            desk.ask(session)
            list(desk.service.tidy(Cancel()))
            if len(desk.record.blocks(conversation)) > blocks:
                break
        assert len(desk.record.blocks(conversation)) > blocks
        assert data_kept(desk, tmp_path) == LOG


def test_data_of_the_last_turn_stays_for_the_next_question(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    first = desk.ask(request("Which error was there?", Attachment("log", LOG[:3300])))
    assert first.prompt
    assert first.prompt.total > 0.8 * first.prompt.usable
    assert list(desk.service.tidy(Cancel())) == [Saving()]
    second = desk.ask(request("Who was it?"))
    assert second.prompt
    assert second.prompt.sections[Section.DATA] == 3300
    assert second.kv
    assert second.kv.reused >= first.prompt.total
    list(desk.service.tidy(Cancel()))
    third = desk.ask(request("And when?"))
    assert third.prompt
    assert third.prompt.sections[Section.DATA] == 0


def test_beside_a_long_question_text_is_filtered_until_folding_makes_room(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.ask(request("Hello there."))
    desk.ask(request("Hello there again." * 20))
    receipt = desk.ask(request("Which error? " + "word " * 480, Attachment("log", LOG)))
    assert receipt.error is None
    assert receipt.prompt
    assert receipt.prompt.total <= receipt.prompt.usable
    assert receipt.prompt.sections[Section.DATA]


def test_a_small_table_has_all_its_rows_also_beside_a_large_text(tmp_path: Path) -> None:
    table = Attachment("prices.csv", "id,city,price\n1,Riga,3\n2,Bergen,4\n3,Turku,9\n")
    for attached in ((), (Attachment("log", LOG),)):
        desk = desk_of(tmp_path / str(len(attached)))
        receipt = desk.ask(request("What is the price in Bergen?", *attached, data=(table,)))
        assert receipt.prompt
        sent = "".join(piece.text for piece in receipt.prompt.pieces if piece.section is Section.DATA)
        assert "1,Riga,3\n2,Bergen,4\n3,Turku,9\n" in sent
