"""Which views of a turn its flags ask for."""

from collections.abc import Callable

from ctxchat.cli.answer_views import JsonAnswer, JsonEvents, PlainAnswer, View
from ctxchat.cli.notices import Notices
from ctxchat.cli.options import AskFlags
from ctxchat.cli.reasoning import Reasoning
from ctxchat.cli.terminal.screen import Screen
from ctxchat.cli.terminal.status import StatusLine
from ctxchat.display.plain_text import clean


def views_of(flags: AskFlags, screen: Screen) -> list[View]:
    """The views of a turn, in the order in which they see each event: the status line counts before
    it is drawn again and ends before the last words, reasoning ends before the answer begins."""
    in_json = flags.json or flags.events
    wanted = screen.has_status and not flags.quiet and (screen.out_file or not flags.events)
    status = _status_line(screen) if wanted else None
    with_footnotes = screen.out_terminal and screen.err_terminal and not in_json
    seen_by: list[View | None] = [
        status,
        None if in_json else Reasoning(screen, status),
        _filtered_input(flags, screen, status) if flags.show_filtered else None,
        None if flags.show_filtered and flags.dry_run else _answer(flags, screen, status),
        Notices(screen, status, usage=flags.usage, stats=flags.stats, footnotes=with_footnotes),
    ]
    return [view for view in seen_by if view]


def _status_line(screen: Screen) -> StatusLine:
    return StatusLine(screen.err, lambda: screen.columns, screen.dim)


def _filtered_input(flags: AskFlags, screen: Screen, status: StatusLine | None) -> View:
    from ctxchat.cli.filtered import FilteredInput

    cleaned = clean if screen.out_terminal else str
    return FilteredInput(screen.out, cleaned, _before_text(screen, status), alone=flags.dry_run)


def _before_text(screen: Screen, status: StatusLine | None) -> Callable[[], None]:
    """What makes room for text on stdout. In a pipe it may end on this same terminal, where a status
    line would write over it."""
    if status is None or screen.out_file:
        return lambda: None
    return status.erase if screen.out_terminal else status.close


def _answer(flags: AskFlags, screen: Screen, status: StatusLine | None) -> View:
    if flags.events:
        return JsonEvents(screen.out)
    if flags.json:
        return JsonAnswer(screen.out)
    if flags.dry_run:
        from ctxchat.cli.dry_run import Ledger

        return Ledger(screen.out)
    if screen.renders and not flags.extract:
        from ctxchat.cli.terminal.markdown import MarkdownAnswer

        return MarkdownAnswer(screen, status)
    before_text = status.close if status and not screen.out_file else lambda: None
    return PlainAnswer(screen.out, clean if screen.out_terminal else str, before_text)
