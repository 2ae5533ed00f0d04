"""From a question to the prompt that is sent: what was attached is filtered, old turns give way,
and what matters is recalled."""

from collections.abc import Generator
from dataclasses import dataclass, replace

from ctxchat.context.budget import could_fit, reclaim_until, turns_to_fold
from ctxchat.context.recall import placed, texts_by_label
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.conversation import Conversation, Message
from ctxchat.domain.events import Filtered, NotesFound, TurnEvent, Warned
from ctxchat.domain.prompt import Prompt
from ctxchat.domain.receipt import Citation
from ctxchat.domain.summary import SummaryBlock
from ctxchat.service.asking import read_again
from ctxchat.service.assembly import Assembly, Past
from ctxchat.service.compaction import Compaction, Requests
from ctxchat.service.filtering import filtered_question, without_attached
from ctxchat.service.journal import Journal
from ctxchat.service.originals import keep_original, reclaimed
from ctxchat.service.read_ahead import read_ahead
from ctxchat.service.recollection import Recollection, standing_notes, window_of
from ctxchat.service.request import AskRequest, Reply
from ctxchat.service.restoring import restore
from ctxchat.service.turn import Turn

Steps = Generator[TurnEvent, None, Prompt | None]
"""Events, and at their end the prompt; None where it was cancelled."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """Prepares the prompt of one turn. What it settles of the turn it notes there, and on record
    where the turn is recorded."""

    request: AskRequest
    turn: Turn
    assembly: Assembly
    journal: Journal
    requests: Requests
    recollection: Recollection | None

    def prompt(self, cancel: Cancel) -> Steps:
        """The prompt, which may still be too large where nothing more can give way."""
        again = self.request.reply is not Reply.NEW
        if again:
            read_again(self.turn, self.journal, self.assembly.model)
        asked = self._question
        past = self.assembly.past(self._conversation, self._question)
        if self.recollection:
            self.recollection.open(self._conversation, past, self._question)
        if again:
            self.turn.notes.standing = self._standing_notes(past)
        else:
            yield from self._filter(past)
        fitting = yield from self._fit(past, cancel)
        if fitting is None:
            return None
        past, prompt = fitting
        self.turn.past = past.messages
        if self.recollection and prompt.total < self.assembly.budget.usable:
            prompt = yield from self._recall(self.recollection, past, prompt, cancel)
        if self.turn.writes and self._question is not asked:
            self.journal.restate(self._question)
        return None if cancel.requested else prompt

    def _filter(self, past: Past) -> Generator[TurnEvent, None, None]:
        """Filter what was attached, if it is more than there is room for."""
        request, began = self.request, self.journal.clock.seconds()
        if not request.attachments and not request.data:
            return
        bare = without_attached(self._question, request)
        result = filtered_question(
            request,
            bare,
            self.assembly,
            beside=self._assembled(past, bare).total,
            least=self._least(past, bare),
        )
        self.turn.question, self.turn.filters = result.question, result.steps
        self.turn.watch.retrieval += self.journal.clock.seconds() - began
        if self.turn.writes:
            for original in result.originals:
                keep_original(self.assembly.conversations, self._question.id, original)
        yield Filtered(result.steps, result.texts)

    def _fit(self, past: Past, cancel: Cancel) -> Generator[TurnEvent, None, tuple[Past, Prompt] | None]:
        """What of the past is sent, and the prompt. Where it would not fit, what was reasoned in earlier
        turns gives way first, then what was attached and recalled in them, and then the oldest are
        folded: as many as bring the prompt to the landing, and if that is not enough all of them."""
        budget, folds = self.assembly.budget, self.assembly.policy.folds
        prompt = self._assembled(past)
        if prompt.total > budget.usable and folds:
            prompt = self._assembled(past, reasoning=False)
        if self.assembly.model.cache is not None:
            prompt = self._with_less_attached(past, prompt)
        compaction = Compaction(self.assembly, self._conversation, self.requests, self.turn.writes)
        self.turn.asides = compaction.asked
        for keep in (1, 0):
            if keep == 0:
                prompt = self._with_less_attached(past, prompt)
            turns = turns_to_fold(prompt, budget, keep=keep)
            fits = prompt.total <= budget.usable
            if fits or not turns or not folds or not could_fit(prompt, budget):
                continue
            if self.request.dry_run:
                yield Warned(f"the prompt does not fit: the oldest {turns:,} turns would be folded first")
                break
            restore(self.turn, self.assembly.model, compaction.read_for(past, turns).ids, 0)
            began = self.journal.clock.seconds()
            folded = yield from compaction.fold(past, turns, cancel)
            self.turn.watch.compaction += self.journal.clock.seconds() - began
            if folded is None:
                return None
            past = folded
            prompt = self._assembled(past)
        return past, prompt

    def _with_less_attached(self, past: Past, prompt: Prompt) -> Prompt:
        """The prompt without what was attached and recalled in earlier turns, as far as it must give way. At
        a server turns are folded before: whatever changes, it finds nothing behind that cached, and folding
        makes room for longer."""
        budget = self.assembly.budget
        if prompt.total <= budget.usable or not self.assembly.policy.folds:
            return prompt
        until = reclaim_until(prompt, budget, keep=0)
        if until is None:
            return prompt
        self.turn.conversation = reclaimed(
            self.assembly.conversations, self._conversation, until, past.messages, writes=self.turn.writes
        )
        return self._assembled(past, reasoning=False)

    def _recall(
        self, recollection: Recollection, past: Past, prompt: Prompt, cancel: Cancel
    ) -> Generator[TurnEvent, None, Prompt]:
        """The prompt with what was recalled for the question before its words."""
        if recollection.is_opening and not self.request.dry_run:
            read_ahead(self.turn, self.assembly.model, prompt, cancel)
        began, turn = self.journal.clock.seconds(), self.turn
        turn.notes.standing = self._standing_notes(past)
        recollection.wait(cancel)
        if cancel.requested:
            return prompt
        found = recollection.found(self._conversation, past, self._question, prompt, self.assembly)
        if found and found.hits:
            question = replace(self._question, segments=placed(self._question, found.segments))
            with_notes = self._assembled(past, question)
            if with_notes.total <= self.assembly.budget.usable:
                turn.question, prompt = question, with_notes
                turn.notes.recalled, turn.notes.texts = found.citations, texts_by_label(found)
        if found and found.dropped:
            prompt = replace(prompt, dropped=(*prompt.dropped, *found.dropped))
        turn.watch.retrieval += self.journal.clock.seconds() - began
        yield from map(Warned, recollection.remarks())
        if turn.notes.recalled:
            yield NotesFound(turn.notes.recalled)
        return prompt

    def _standing_notes(self, past: Past) -> dict[str, tuple[Citation, str]]:
        window = window_of(self._conversation, past, self._question)
        return standing_notes(window, self.assembly.count)

    def _least(self, past: Past, question: Message) -> int:
        """Tokens of the prompt once all past turns are folded, with the most that summaries may add: the last
        turn is folded by itself where folding the others was not enough."""
        if not past.messages:
            return self._assembled(past, question).total
        folded = Past((*past.blocks, SummaryBlock("", "", "", turns=0, prose=" ")))
        return self._assembled(folded, question).total + 2 * self.assembly.budget.block

    @property
    def _conversation(self) -> Conversation:
        assert self.turn.conversation is not None
        return self.turn.conversation

    @property
    def _question(self) -> Message:
        assert self.turn.question is not None
        return self.turn.question

    def _assembled(self, past: Past, question: Message | None = None, *, reasoning: bool = True) -> Prompt:
        return self.assembly.prompt(
            self._conversation,
            past,
            question or self._question,
            self.request.thinks,
            reasoning=reasoning,
            begun=self.turn.begun,
        )
