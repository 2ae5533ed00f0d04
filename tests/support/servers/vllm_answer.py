"""One answer of the double of vLLM, as text or as a message."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.support.servers.backing import now
from tests.support.servers.blocks import BLOCK
from tests.support.servers.double import Answered, Body
from tests.support.servers.runner import Asked
from tests.support.servers.texts import Thoughts, VllmSpeaker
from tests.support.servers.wire import Events, Exchange

if TYPE_CHECKING:
    from tests.support.servers.vllm_double import VllmDouble

Json = dict[str, object]


class VllmAnswer:
    def __init__(
        self,
        double: "VllmDouble",
        exchange: Exchange,
        body: Body,
        asked: Asked,
        answer: Answered,
        *,
        chat: bool,
    ) -> None:
        self._double, self._exchange, self._body, self._chat = double, exchange, body, chat
        self._asked, self._answer = asked, answer
        self._events = Events(exchange)
        self._speaker = VllmSpeaker(asked.sampling.stop)
        tags = double.backing.template.behaviour.reasoning if chat and double.reasoning else None
        opened = tags is not None and double.backing.vocabulary.text(asked.ids).rstrip().endswith(
            tags.opening
        )
        self._thoughts = Thoughts(tags, opened=opened, trims=False)
        self._stop_ids = frozenset(body.get("stop_token_ids") or ())
        self._finish: str | None = None
        self._reason: str | int | None = None
        kind = "chatcmpl" if chat else "cmpl"
        self._id = f"{kind}-{len(double.answers):032x}"

    def write(self) -> None:
        if self._body.get("stream"):
            self._stream()
        else:
            self._whole()

    def _stream(self) -> None:
        self._events.begin()
        first = True
        for ids, text in self._deltas():
            if first and self._chat:
                self._events.send({**self._frame([self._opening()]), **self._prompt_ids()})
            choice = self._choice(ids, text)
            if not self._chat:
                choice["prompt_token_ids"] = self._prompt_ids()["prompt_token_ids"] if first else None
            first = False
            self._events.send(self._frame([choice]), tokens=len(ids))
        if (self._body.get("stream_options") or {}).get("include_usage") and self._double.framing.usage:
            self._events.send({**self._frame([]), "usage": self._usage()})
        self._events.done()
        self._events.end()

    def _whole(self) -> None:
        ids, text = list[int](), ""
        for delta_ids, delta in self._deltas():
            ids, text = ids + delta_ids, text + delta
        choice = self._choice(ids, text)
        if self._chat:
            delta = choice.pop("delta")
            assert isinstance(delta, dict)
            thought = delta.get("reasoning")
            choice["message"] = {"role": "assistant", "content": delta.get("content"), "reasoning": thought}
        ids_of_prompt = self._prompt_ids()
        told = {
            **self._frame([choice]),
            "usage": self._usage(),
            "service_tier": None,
            "system_fingerprint": None,
        }
        if self._chat:
            told |= {"prompt_token_ids": None, **ids_of_prompt}
        else:
            choice |= {"prompt_logprobs": None, "prompt_token_ids": None, **ids_of_prompt}
        self._exchange.json(told)

    def _deltas(self) -> Iterator[tuple[list[int], str]]:
        """Ids and text of each chunk: of one token, or of as many as the framing says."""
        waiting, text = list[int](), ""
        for token in self._tokens():
            text += self._said(token)
            waiting.append(token)
            if self._finish or len(waiting) >= self._double.framing.tokens:
                yield waiting, text
                waiting, text = [], ""
            if self._finish:
                return

    def _said(self, token: int) -> str:
        """The text that comes with a token; sets why the answer ends, where it does."""
        backing, spoken = self._double.backing, self._answer.ids
        ends = backing.vocabulary.ends_turn(token) or token in self._stop_ids
        said = self._speaker.feed(b"" if ends else self._piece(token), ends=ends)
        if said.stop is not None:
            self._finish, self._reason = "stop", said.stop
        elif ends:
            self._finish, self._reason = "stop", token if token in self._stop_ids else None
        elif len(spoken) >= self._asked.limit:
            self._finish = "length"
        held = self._speaker.finish() if self._finish and said.stop is None else ""
        return (said.text or "") + held

    def _piece(self, token: int) -> bytes:
        if self._body.get("skip_special_tokens", True):
            return self._double.backing.piece(token)
        return self._double.backing.vocabulary.piece(token)

    def _tokens(self) -> Iterator[int]:
        steps = self._double.backing.decode(self._asked)
        try:
            for kind, number in steps:
                self._exchange.check_client()
                if kind == "token":
                    self._answer.ids.append(number)
                    yield number
        finally:
            steps.close()  # type: ignore[attr-defined]

    def _opening(self) -> Json:
        return {
            "index": 0,
            "delta": {"role": "assistant", "content": ""},
            "logprobs": None,
            "finish_reason": None,
        }

    def _choice(self, ids: list[int], text: str) -> Json:
        end: Json = {"logprobs": None, "finish_reason": self._finish}
        told: Json = {"token_ids": ids if self._body.get("return_token_ids") else None}
        if not self._chat:
            return {"index": 0, "text": text, **end, "stop_reason": self._reason, **told}
        thought, said = self._thoughts.feed(text)
        delta: Json = {"reasoning": thought} if thought else {"content": said}
        if thought and said:
            delta["content"] = said
        reason = {"stop_reason": self._reason} if self._finish else {}
        return {"index": 0, "delta": delta, **end, **reason, **told}

    def _prompt_ids(self) -> Json:
        return {"prompt_token_ids": list(self._asked.ids) if self._body.get("return_token_ids") else None}

    def _frame(self, choices: list[Json]) -> Json:
        kind = ("chat.completion" if self._chat else "text_completion") + (
            ".chunk" if self._chat and self._body.get("stream") else ""
        )
        return {
            "id": self._id,
            "object": kind,
            "created": now(),
            "model": self._double.name,
            "choices": choices,
        }

    def _usage(self) -> Json:
        prompt, answer = len(self._asked.ids), len(self._answer.ids)
        counts: Json = {"prompt_tokens": prompt, "total_tokens": prompt + answer, "completion_tokens": answer}
        if self._double.details:
            details = {"cached_tokens": self._answer.cached}
            if self._chat:
                details["created_cache_tokens"] = prompt // BLOCK * BLOCK - self._answer.cached
            counts["prompt_tokens_details"] = details
        return counts
