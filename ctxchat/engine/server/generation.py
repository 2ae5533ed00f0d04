"""One answer of a server: asked for, asked for again where that may help, and read as it comes."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NoReturn

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Finish
from ctxchat.domain.errors import EngineError, PromptTooLargeError
from ctxchat.domain.events import EngineEvent, Generated, Prefilled, Warned
from ctxchat.domain.model import Generation
from ctxchat.engine.patience import pause
from ctxchat.engine.server.answer import Answer
from ctxchat.engine.server.dialects.dialect import Delta
from ctxchat.engine.server.known import KnownServer
from ctxchat.engine.server.refusals import Refusal, told

MOST_WAIT = 60.0
"""Seconds: a server that asks for more patience is told of instead."""

CONNECTS = 4
"""How often it is tried to connect."""

SLICE = 0.1

Emit = Callable[[EngineEvent], None]


def generate(server: KnownServer, generation: Generation, stop: Cancel, emit: Emit) -> None:
    """Answer, emitting what happens; `Generated` comes last, also where `stop` was requested."""
    if not generation.ids:
        raise EngineError("the prompt is empty: there is nothing to answer")
    limit = room(server, generation.ids, generation.limit)
    _Generating(server, replace(generation, limit=limit), stop, emit).run()


def room(server: KnownServer, ids: Sequence[int], limit: int) -> int:
    """The tokens that an answer may have. Raises PromptTooLargeError."""
    window = server.probed.window
    if window is None or not server.dialect.takes_ids:
        return limit
    if len(ids) >= window:
        raise PromptTooLargeError(
            f"the prompt is {len(ids):,} tokens and {server.shown} takes {window:,} with the answer: "
            "shorten it, or start the server with a larger window"
        )
    return min(limit, window - len(ids))


class _Generating:
    """One answer while it is written."""

    def __init__(self, server: KnownServer, generation: Generation, stop: Cancel, emit: Emit) -> None:
        self._server, self._generation = server, generation
        self._stop, self._emit = stop, emit
        self._expected = server.prefixes.expected(generation.ids) or 0
        self._total = len(generation.ids) - self._expected
        self._done = 0
        self._answer = self._new_answer()
        self._began = self._first = self._last = 0.0
        self._spoke = self._shown = False

    def run(self) -> None:
        self._emit(Prefilled(0, self._total))
        if self._generation.limit == 0 and not self._server.dialect.reads_alone:
            self._read_up_to(self._total)
            self._emit(Generated(Finish.LENGTH, "", ()))
            return
        failures = 0
        while not self._is_cancelled():
            try:
                self._ask()
                break
            except Refusal as refusal:
                failures += 1
                if not self._is_cancelled() and not self._server.dialect.adapts(refusal):
                    self._wait(refusal, failures)
        self._end()

    def _ask(self) -> None:
        """Raises Refusal where nothing was shown yet, EngineError where the answer breaks off behind that."""
        self._answer, self._began = self._new_answer(), time.monotonic()
        asked = self._generation
        self._read(asked)
        while self._answer.is_cut and not self._is_cancelled():
            self._show(self._answer.end_reasoning())
            left = asked.limit - len(self._answer.decoded)
            if left <= 0:
                self._answer.finish = Finish.LENGTH
                return
            ids = (*asked.ids, *self._answer.decoded)
            self._read(replace(asked, ids=ids, limit=left, reasoning=None, in_reasoning=False))

    def _read(self, asked: Generation) -> None:
        """Read one stream to its end, or until no more of it is needed."""
        server, answer = self._server, self._answer
        request = server.dialect.request(asked, server.probed, server.connection.address)
        for notice in server.left_out(request.left_out):
            self._emit(Warned(notice))
        reader = server.dialect.reader()
        try:
            with server.connection.stream(request.url, request.body, self._stop) as chunks:
                for chunk in chunks:
                    self._take(reader.read(chunk))
                    if self._is_cancelled() or answer.stopped or answer.is_cut:
                        return
        except Refusal as refusal:
            if self._shown and not self._is_cancelled():
                self._break_off(refusal.said)
            raise
        except ValueError as error:
            self._break_off(f"what came is no answer of such a server: {error}")
        if answer.finish is None and not self._is_cancelled():
            if self._shown:
                self._break_off("the connection ended")
            raise Refusal(200, "it ended without a word, as some do where the prompt is too long")

    def _take(self, delta: Delta) -> None:
        if delta.error:
            self._break_off(delta.error)
        if delta.read is not None:
            self._read_up_to(min(delta.read - self._expected, self._total - 1))
        if delta.speaks:
            self._last = time.monotonic()
            self._first = self._first if self._spoke else self._last
            self._spoke = True
            self._read_up_to(self._total)
        self._show(self._answer.feed(delta))

    def _end(self) -> None:
        self._show(self._answer.rest())
        finish = Finish.CANCELLED if self._is_cancelled() else self._answer.finish or Finish.STOP
        if self._answer.stopped:
            finish = Finish.STOP
        done = self._answer.generated(finish)
        if self._spoke:
            self._learn(done)
        self._emit(done)

    def _learn(self, done: Generated) -> None:
        """Note what the server has cached now, and what the work has cost."""
        server, usage = self._server, self._answer.usage
        decoded = (*done.reasoning_ids, *done.text_ids)
        ended = self._answer.finish is Finish.STOP  # Else the last was decoded and not read.
        server.prefixes.sent(self._generation.ids, decoded if ended else decoded[:-1])
        prompt = usage.prompt or len(self._generation.ids)
        cached = self._expected if usage.cached is None else usage.cached
        server.costs.saw_read(prompt - cached, cached, self._first - self._began)
        server.costs.saw_decoded(len(self._answer.decoded) - 1, prompt, self._last - self._first)

    def _show(self, shown: Sequence[EngineEvent]) -> None:
        for event in shown:
            self._shown = True
            self._emit(event)

    def _read_up_to(self, done: int) -> None:
        if done > self._done:
            self._done = done
            self._emit(Prefilled(done, self._total))

    def _wait(self, refusal: Refusal, failures: int) -> None:
        """Wait before it is asked again. Raises EngineError or PromptTooLargeError where that is no use."""
        if refusal.stale and failures == 1:
            return
        seconds = None
        if refusal.status in {429, 503} or (refusal.status is None and not refusal.waited):
            tries = {"tries": CONNECTS} if refusal.status is None else {}
            seconds = pause(failures, refusal.status, refusal.retry_after, most=MOST_WAIT, **tries)
        if seconds is None:
            self._refused(refusal)
        seconds *= 1 + random.random() / 4
        self._emit(Warned(f"{self._server.shown}: {refusal.reason()}; asking again in {seconds:.1f} s"))
        until = time.monotonic() + seconds
        while not self._is_cancelled() and (left := until - time.monotonic()) > 0:
            time.sleep(min(SLICE, left))

    def _refused(self, refusal: Refusal) -> NoReturn:
        server = self._server
        if refusal.is_too_long:
            raise PromptTooLargeError(
                f"the prompt does not fit {server.shown} ({refusal.said}): shorten it, or set --ctx-size to "
                "what the server takes"
            )
        line = told(refusal, server.shown, server.probed.model)
        if refusal.retry_after and refusal.status in {429, 503}:
            line += (
                f" (it asks to wait {refusal.retry_after} s, and more than {MOST_WAIT:.0f} are not waited)"
            )
        raise EngineError(line)

    def _break_off(self, why: str) -> NoReturn:
        """What was said so far is shown to its end, so that it is kept."""
        self._show(self._answer.rest())
        kept = "; what it said is kept, and it can be asked again" if self._shown else ""
        raise EngineError(f"{self._server.shown} broke off: {why}{kept}")

    def _is_cancelled(self) -> bool:
        return self._stop.requested

    def _new_answer(self) -> Answer:
        server = self._server
        return Answer(self._generation, server.vocabulary, takes_ids=server.dialect.takes_ids)
