"""A double of a hosted API: messages only, a key, and nothing told of tokens but what they cost."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from tests.support.servers.backing import now
from tests.support.servers.double import Answered, Body, Double, RefusedError, as_texts
from tests.support.servers.runner import Asked
from tests.support.servers.texts import VllmSpeaker
from tests.support.servers.vllm_request import grammar_asked, sampling_asked
from tests.support.servers.wire import Events, Exchange

KEY = "sk-test-0123456789"


class OpenAiDouble(Double):
    """`window` is what it really has; with `cuts` the oldest messages of what is over are left out and
    nothing is said of it."""

    software = "cloudflare"
    stream_type = "text/event-stream; charset=utf-8"
    answering = frozenset({"/v1/chat/completions"})

    def __init__(self, *args: Any, window: int | None = None, cuts: bool = False, **more: Any) -> None:
        super().__init__(*args, **more)
        self.key = KEY
        self.window, self.cuts = window or self.backing.window, cuts

    @property
    def routes(self) -> Mapping[tuple[str, str], Callable[[Exchange, Body], None]]:
        return {
            ("GET", "/v1/models"): self._models,
            ("POST", "/v1/chat/completions"): self._chat,
        }

    def refuse(self, status: int, message: str, code: str | None, param: str | None = None) -> NoReturn:
        told = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
        raise RefusedError(status, {"error": told})

    def refuse_key(self, path: str) -> None:
        self.refuse(401, "Incorrect API key provided.", "invalid_api_key")

    def refuse_path(self, method: str, path: str) -> None:
        self.refuse(404, f"Invalid URL ({method} {path})", None)

    def _models(self, exchange: Exchange, _: Body) -> None:
        model = {"id": self.name, "object": "model", "created": now(), "owned_by": "system"}
        exchange.json({"object": "list", "data": [model]})

    def _chat(self, exchange: Exchange, body: Body) -> None:
        if body.get("model") != self.name:
            self.refuse(404, f"The model `{body.get('model')}` does not exist", "model_not_found")
        strange = set(body) - TAKEN
        if strange:
            name = min(strange)
            self.refuse(400, f"Unrecognized request argument supplied: {name}", None)
        asked = self._asked(body)
        with self.generating(exchange, asked, 0) as answer:
            OpenAiAnswer(self, exchange, body, asked, answer).write()

    def _asked(self, body: Body) -> Asked:
        messages, wished = list(body["messages"]), body.get("max_completion_tokens") or body.get("max_tokens")
        ids = self.backing.tokenize(self.backing.render(messages), begin=True)
        while self.cuts and len(ids) >= self.window and len(messages) > 1:
            messages.pop(1 if messages[0]["role"] == "system" and len(messages) > 2 else 0)
            ids = self.backing.tokenize(self.backing.render(messages), begin=True)
        if len(ids) >= self.window:
            self.refuse(
                400,
                f"This model's maximum context length is {self.window} tokens. However, your messages "
                f"resulted in {len(ids)} tokens. Please reduce the length of the messages.",
                "context_length_exceeded",
                "messages",
            )
        limit = min(wished or self.window, self.window - len(ids))
        return Asked(ids, limit, sampling_asked(body), grammar_asked(body))


TAKEN = {
    "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature",
    "top_p", "presence_penalty", "frequency_penalty", "seed", "stop", "response_format", "n", "user",
}  # fmt: skip
"""Whatever else is sent is refused, as hosted APIs do."""


class OpenAiAnswer:
    def __init__(
        self, double: OpenAiDouble, exchange: Exchange, body: Body, asked: Asked, answer: Answered
    ) -> None:
        self._double, self._exchange, self._body = double, exchange, body
        self._asked, self._answer = asked, answer
        self._finish = "length"
        self._speaker = VllmSpeaker(as_texts(body.get("stop")))

    def write(self) -> None:
        if not self._body.get("stream"):
            message = {"role": "assistant", "content": "".join(self._texts()), "refusal": None}
            choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish}
            self._exchange.json({**self._frame("chat.completion", [choice]), "usage": self._usage()})
            return
        events = Events(self._exchange)
        events.send(self._chunk({"role": "assistant", "content": "", "refusal": None}))
        for text in self._texts():
            events.send(self._chunk({"content": text}), tokens=1)
        events.send(self._chunk({}, self._finish))
        if (self._body.get("stream_options") or {}).get("include_usage") and self._double.framing.usage:
            events.send({**self._frame("chat.completion.chunk", []), "usage": self._usage()})
        events.done()
        events.end()

    def _texts(self) -> Iterator[str]:
        backing = self._double.backing
        steps = backing.decode(self._asked)
        try:
            for kind, number in steps:
                self._exchange.check_client()
                if kind != "token":
                    continue
                self._answer.ids.append(number)
                ends = backing.vocabulary.ends_turn(number)
                said = self._speaker.feed(backing.piece(number), ends=ends)
                if said.text:
                    yield said.text
                if ends or said.stop is not None:
                    self._finish = "stop"
                    break
            if held := self._speaker.finish():
                yield held
        finally:
            steps.close()  # type: ignore[attr-defined]

    def _chunk(self, delta: object, finish: str | None = None) -> object:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._frame("chat.completion.chunk", [choice])

    def _frame(self, kind: str, choices: list[dict[str, object]]) -> dict[str, object]:
        named = {"id": f"chatcmpl-{len(self._double.answers)}", "object": kind, "created": now()}
        return {**named, "model": self._double.name, "choices": choices, "system_fingerprint": "fp_0"}

    def _usage(self) -> dict[str, object]:
        prompt, answer = len(self._asked.ids), len(self._answer.ids)
        counts = {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}
        return {**counts, "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0}}
