"""Decoded tokens to what is shown: reasoning, then text, without tags and stop strings."""

from collections.abc import Callable

from ctxchat.domain.conversation import Finish
from ctxchat.domain.events import Generated, ReasoningGenerated, TextGenerated
from ctxchat.domain.model import ReasoningTags
from ctxchat.engine.text_stream import Characters, MarkerSearch

Shown = ReasoningGenerated | TextGenerated


class AnswerStream:
    """Splits an answer while it is decoded, and its ids when it has ended.

    Reasoning stands at the beginning or nowhere: an opening tag behind other text is text. What
    says that an answer comes without reasoning stands there too, and is as little text. The
    white space around the tags belongs to them. Stop strings are looked for in the text alone.
    Places are counted in characters of all that was decoded.
    """

    def __init__(
        self, tags: ReasoningTags | None, *, in_reasoning: bool = False, stops: tuple[str, ...] = ()
    ) -> None:
        self._characters = Characters()
        self._openings: dict[str, Callable[[str], list[Shown]]] = {}
        if tags:
            self._openings[tags.opening] = self._read_reasoning
        if tags and tags.direct:
            self._openings[tags.direct] = self._await_text
        self._closing = MarkerSearch((tags.closing,) if tags else ())
        self._stop = MarkerSearch(stops)
        self._phase: Callable[[str], list[Shown]] = self._read_text
        if tags:
            self._phase = self._read_reasoning if in_reasoning else self._await_reasoning
        self._beginning = ""
        self._received = 0
        self._text_begin: int | None = None
        self._text_end: int | None = None
        self._waiting: tuple[int, ...] = ()
        self._groups: list[tuple[int, tuple[int, ...]]] = []
        self._shown: dict[type[Shown], list[str]] = {ReasoningGenerated: [], TextGenerated: []}

    @property
    def stopped(self) -> bool:
        """Whether a stop string was decoded."""
        return self._stop.found is not None

    @property
    def reasons(self) -> bool:
        """Whether what comes next is reasoning, or ends it."""
        return self._phase == self._read_reasoning

    @property
    def whole(self) -> bool:
        """Whether what was fed ends with a whole character."""
        return self._characters.whole and not self._waiting

    def feed(self, token: int, piece: bytes) -> list[Shown]:
        """What can be shown of a token, given as its bytes."""
        self._waiting += (token,)
        return self._receive(self._characters.feed(piece))

    def feed_text(self, tokens: tuple[int, ...], text: str) -> list[Shown]:
        """What can be shown of tokens whose text somebody else has made: it is empty for those that end
        within a character, which comes with a later one."""
        self._waiting += tokens
        return self._receive(text) if text else []

    def finish(self) -> list[Shown]:
        """What was held back, once nothing more is decoded. Tokens whose text never came are not of it."""
        cut = self._characters.finish()
        shown = self._receive(cut) if cut else []
        shown += self._read_text(self._beginning)
        shown += self._note(ReasoningGenerated, self._closing.finish())
        if not self.stopped:
            shown += self._note(TextGenerated, self._stop.finish())
        return shown

    def generated(self, finish: Finish) -> Generated:
        """The whole, with each id under the part that its characters are in."""
        begin = self._place_of_text()
        end = self._received if self._text_end is None else self._text_end
        reasoning_ids: list[int] = []
        text_ids: list[int] = []
        aligned, at = True, 0
        for group_end, tokens in self._groups:
            aligned &= not (at < begin < group_end or at < end < group_end)
            if at < begin:
                reasoning_ids += tokens
            elif group_end <= end:
                text_ids += tokens
            at = group_end
        return Generated(
            finish=finish,
            text="".join(self._shown[TextGenerated]),
            text_ids=tuple(text_ids),
            reasoning="".join(self._shown[ReasoningGenerated]),
            reasoning_ids=tuple(reasoning_ids),
            aligned=aligned,
        )

    def _receive(self, text: str) -> list[Shown]:
        self._received += len(text)
        if self._waiting and self._characters.whole:
            self._groups.append((self._received, self._waiting))
            self._waiting = ()
        return self._phase(text) if text and not self.stopped else []

    def _await_reasoning(self, text: str) -> list[Shown]:
        self._beginning += text
        begun = self._beginning.lstrip()
        opening = next(filter(begun.startswith, self._openings), None)
        if opening is not None:
            self._beginning, self._phase = "", self._openings[opening]
            return self._phase(begun[len(opening) :])
        if any(each.startswith(begun) for each in self._openings):
            return []
        text, self._beginning, self._phase = self._beginning, "", self._read_text
        return self._read_text(text)

    def _read_reasoning(self, text: str) -> list[Shown]:
        shown = self._note(ReasoningGenerated, self._closing.feed(text))
        if self._closing.found:
            self._phase = self._await_text
            shown += self._await_text(self._closing.rest)
        return shown

    def _await_text(self, text: str) -> list[Shown]:
        text = text.lstrip()
        if not text:
            return []
        self._text_begin = self._received - len(text)
        self._phase = self._read_text
        return self._read_text(text)

    def _read_text(self, text: str) -> list[Shown]:
        shown = self._note(TextGenerated, self._stop.feed(text))
        if self._stop.found:
            self._text_end = self._received - len(self._stop.rest) - len(self._stop.found)
        return shown

    def _note(self, kind: type[Shown], text: str) -> list[Shown]:
        if not text:
            return []
        self._shown[kind].append(text)
        return [kind(text)]

    def _place_of_text(self) -> int:
        if self._text_begin is not None:
            return self._text_begin
        reasoned = self._phase in (self._read_reasoning, self._await_text)
        return self._received if reasoned else 0
