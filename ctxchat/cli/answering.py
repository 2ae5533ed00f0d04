"""One question from the command line, answered on its streams."""

import os
from collections.abc import Generator, Iterator
from contextlib import closing

from ctxchat.cli.constraint import constraint_of
from ctxchat.cli.failures import INTERRUPTED, abandon_stdout, internal_error
from ctxchat.cli.input import Question, read_question, readable, require_words
from ctxchat.cli.interrupts import cancelled_by_interrupt
from ctxchat.cli.notices import Notices
from ctxchat.cli.options import AskFlags, check, overrides
from ctxchat.cli.output import views_of
from ctxchat.cli.stages import at_once, code_block_alone, without_reasoning
from ctxchat.cli.terminal.screen import this_screen
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import CtxChatError, PromptTooLargeError, UsageError
from ctxchat.domain.events import TurnEvent, TurnFinished, Warned
from ctxchat.domain.receipt import Failure, Receipt
from ctxchat.service.request import AskRequest
from ctxchat.settings.load import load_settings
from ctxchat.settings.schema import Settings


def answer(flags: AskFlags) -> int:
    """Ask, show the answer as the flags want it, and return the exit code.

    Raises UsageError before anything is printed, and BrokenPipeError where nobody reads stdout.
    """
    check(flags)
    settings = load_settings(overrides(flags), offline=flags.offline)
    try:
        question = question_of(flags, settings)
    except PromptTooLargeError as error:
        return _show(flags, iter([_failed(error.exit_code, str(error))]), ())
    request = request_of(flags, settings, question)
    cancel = Cancel()
    with cancelled_by_interrupt(cancel), closing(turn_events(settings, request, cancel)) as turn:
        return _show(flags, turn, question.warnings)


def turn_events(settings: Settings, request: AskRequest, cancel: Cancel) -> Generator[TurnEvent, None, None]:
    """The events of one turn; it ends with a receipt also where the service cannot be made, or
    fails as it never should. Raises UsageError for a request that cannot be asked."""
    try:
        from ctxchat.service import wiring

        with closing(wiring.chat_service(settings)) as service:
            yield from service.ask(request, cancel)
            yield from service.tidy(cancel)
    except UsageError:
        raise
    except CtxChatError as error:
        yield _failed(error.exit_code, str(error))
    except Exception as error:
        if os.environ.get("CTXCHAT_DEBUG") or isinstance(error, BrokenPipeError):
            raise
        yield _failed(1, internal_error(error))


def _failed(code: int, message: str) -> TurnFinished:
    return TurnFinished(Receipt("", Finish.ERROR, error=Failure(code, message)))


def exit_code(receipt: Receipt) -> int:
    """The code a turn ends the process with."""
    if receipt.error:
        return receipt.error.code
    return INTERRUPTED if receipt.finish is Finish.CANCELLED else 0


def question_of(flags: AskFlags, settings: Settings) -> Question:
    """Read what is asked. Raises UsageError and PromptTooLargeError as `read_question` does."""
    return read_question(
        flags.words or (),
        flags.file,
        flags.data,
        needs_words=flags.template is None,
        condenses=not flags.no_filter and settings.context.overflow != "refuse",
    )


def request_of(flags: AskFlags, settings: Settings, question: Question) -> AskRequest:
    """What the flags ask for. Raises UsageError where nothing is asked."""
    words = question.words
    if flags.template is not None:
        from ctxchat.context.prompt_files import render
        from ctxchat.service.wiring import prompts_folder

        values = {readable(key): readable(value) for key, value in flags.param}
        words = render(flags.template, values | {"question": words}, prompts_folder())
        require_words(words)
    return AskRequest(
        words,
        attachments=question.attachments,
        data=question.data,
        collections=tuple(map(readable, flags.notes)) or None,
        memory=settings.notes.recall,
        filters=not flags.no_filter,
        session=None if flags.session is None else readable(flags.session),
        resume=flags.resume,
        fork=flags.fork,
        record=not flags.no_log,
        system=None if flags.system is None else readable(flags.system),
        pins=tuple(readable(pin) for pin in flags.pin),
        sampling=settings.sampling,
        think=settings.context.think,
        think_budget=settings.context.think_budget,
        dry_run=flags.dry_run,
        constraint=constraint_of(flags),
    )


def _show(flags: AskFlags, turn: Iterator[TurnEvent], warnings: tuple[str, ...]) -> int:
    """Give every event to every view; returns the exit code."""
    views = views_of(flags, this_screen())
    code: int | None = None
    for event in _staged(flags, _after_warnings(turn, warnings)):
        if code is not None:
            # Behind the answer nothing more comes: whoever reads it need not wait.
            abandon_stdout()
        for view in views:
            if code is None or isinstance(view, Notices):
                view.show(event)
        if isinstance(event, TurnFinished):
            code = exit_code(event.receipt)
    return code or 0


def _after_warnings(turn: Iterator[TurnEvent], warnings: tuple[str, ...]) -> Iterator[TurnEvent]:
    yield from map(Warned, warnings)
    yield from turn


def _staged(flags: AskFlags, events: Iterator[TurnEvent]) -> Iterator[TurnEvent]:
    """The events as the flags change them."""
    if flags.hide_reasoning:
        events = without_reasoning(events)
    if flags.extract:
        return code_block_alone(events)
    return at_once(events) if flags.no_stream else events
