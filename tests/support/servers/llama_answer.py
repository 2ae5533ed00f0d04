"""One answer of the double of llama-server, in the three forms it has."""

import time
from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING

from tests.support.servers.backing import now
from tests.support.servers.double import Answered, Body
from tests.support.servers.llama_facts import ASKED, SETTINGS
from tests.support.servers.runner import Asked
from tests.support.servers.texts import LlamaSpeaker, Said, Thoughts, unfinished
from tests.support.servers.wire import Events, Exchange

if TYPE_CHECKING:
    from tests.support.servers.llama_double import LlamaDouble

Json = dict[str, object]


class Shape(Enum):
    """Its own, and those of OpenAI."""

    OWN = "/completion"
    TEXT = "text_completion"
    CHAT = "chat.completion"


class LlamaAnswer:
    def __init__(
        self,
        double: "LlamaDouble",
        exchange: Exchange,
        body: Body,
        shape: Shape,
        asked: Asked,
        answer: Answered,
    ) -> None:
        self._double, self._exchange, self._body, self._shape = double, exchange, body, shape
        self._asked, self._answer = asked, answer
        self._streams = bool(body.get("stream"))
        self._events = Events(exchange)
        self._speaker = LlamaSpeaker(asked.sampling.stop)
        tags = double.backing.template.behaviour.reasoning if shape is Shape.CHAT else None
        prompt = double.backing.vocabulary.text(asked.ids).rstrip()
        self._thoughts = Thoughts(tags, opened=tags is not None and prompt.endswith(tags.opening), trims=True)
        self._text, self._stop_type, self._word = "", "limit", ""
        self._bytes = b""
        self._thought, self._said = "", ""
        self._began = self._read = time.monotonic()
        self._id = f"chatcmpl-{len(double.answers):032d}"

    def write(self) -> None:
        if self._streams and not self._body.get("return_progress"):
            self._events.begin()
        for token in self._tokens():
            if self._told(token):
                break
        if self._streams:
            for chunk in self._final_chunks():
                self._events.send(chunk)
            if self._shape is not Shape.OWN:
                self._events.done()
            self._events.end()
        else:
            self._exchange.json(self._whole())

    def _tokens(self) -> Iterator[int]:
        """What is decoded, while the client listens."""
        steps = self._double.backing.decode(self._asked)
        try:
            for kind, number in steps:
                self._exchange.check_client()
                if kind == "token":
                    self._answer.ids.append(number)
                    yield number
                else:
                    self._read = time.monotonic()
                    self._progress(number)
        finally:
            steps.close()  # type: ignore[attr-defined]

    def _told(self, token: int) -> bool:
        """Tell of a token; whether the answer ends with it."""
        backing = self._double.backing
        ends = backing.vocabulary.ends_turn(token)
        piece = backing.piece(token)
        self._bytes += piece
        said = self._speaker.feed(piece, ends=ends)
        if said.stop is not None:
            self._stop_type, self._word = "word", said.stop
        elif ends:
            self._stop_type = "eos"
        if said.text is not None:
            self._text += said.text
            if self._streams:
                for chunk in self._partial(token, said):
                    self._events.send(chunk, tokens=1)
        return ends or said.stop is not None

    def _progress(self, done: int) -> None:
        if not (self._streams and self._body.get("return_progress")):
            return
        told = {"total": len(self._asked.ids), "cache": self._answer.cached, "processed": done}
        told["time_ms"] = int((time.monotonic() - self._began) * 1000)
        for chunk in self._partial(0, Said("")):
            self._events.send({**chunk, "prompt_progress": told})

    def _partial(self, token: int, said: Said) -> list[Json]:
        text = said.text or ""
        if self._shape is Shape.OWN:
            chunk: Json = {"index": 0, "content": text, "tokens": [token], "stop": False, "id_slot": -1}
            counts = {"tokens_predicted": len(self._answer.ids), "tokens_evaluated": len(self._asked.ids)}
            return [{**chunk, **counts, **self._timings_of_partials()}]
        if self._shape is Shape.TEXT:
            choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": None}
            verbose = {"__verbose": {"content": text, "tokens": [token]}} if self._body.get("verbose") else {}
            return [{**self._frame([choice]), **verbose, **self._timings_of_partials()}]
        return [
            self._frame([{"finish_reason": None, "index": 0, "delta": delta}]) for delta in self._deltas(text)
        ]

    def _deltas(self, text: str) -> list[Json]:
        first = len(self._answer.ids) <= 1 and not (self._thought or self._said)
        deltas: list[Json] = [{"role": "assistant", "content": None}] if first else []
        thought, said = self._thoughts.feed(text)
        self._thought, self._said = self._thought + thought, self._said + said
        if thought:
            deltas.append({"reasoning_content": thought})
        if said:
            deltas.append({"content": said})
        return deltas

    def _final_chunks(self) -> list[Json]:
        if self._shape is Shape.OWN:
            return [{**self._own(), "content": "", "tokens": []}]
        if self._shape is Shape.TEXT:
            choice = {"text": "", "index": 0, "logprobs": None, "finish_reason": self._finish()}
            return [{**self._frame([choice]), **self._usage(), **self._timings()}]
        chunks = [self._frame([{"finish_reason": self._finish(), "index": 0, "delta": {}}])]
        if (self._body.get("stream_options") or {}).get("include_usage") and self._double.framing.usage:
            chunks.append({**self._frame([]), **self._usage()})
        return [*chunks[:-1], {**chunks[-1], **self._timings()}]

    def _whole(self) -> Json:
        """In one piece nothing is held back, and broken characters show, but for the end of a message."""
        if not self._word:
            cut = unfinished(self._bytes) if self._shape is Shape.CHAT else 0
            self._text = self._bytes[: len(self._bytes) - cut].decode("utf-8", "replace")
        if self._shape is Shape.OWN:
            return self._own()
        common: Json = {"finish_reason": self._finish(), "index": 0}
        if self._shape is Shape.TEXT:
            common |= {"text": self._text, "logprobs": None}
        else:
            self._deltas(self._text)
            thought = {"reasoning_content": self._thought} if self._thought else {}
            common["message"] = {"role": "assistant", "content": self._said, **thought}
        return {**self._frame([common]), **self._usage(), **self._timings()}

    def _own(self) -> Json:
        ids, backing = self._asked.ids, self._double.backing
        return {
            "index": 0,
            "content": self._text,
            "tokens": list(self._answer.ids) if self._body.get("return_tokens") else [],
            "id_slot": 0,
            "stop": True,
            "model": str(backing.path),
            "tokens_predicted": len(self._answer.ids),
            "tokens_evaluated": len(ids),
            "generation_settings": {**SETTINGS, **ASKED},
            "prompt": backing.vocabulary.text(ids),
            "has_new_line": "\n" in self._text,
            "truncated": len(ids) + len(self._answer.ids) >= backing.window,
            "stop_type": self._stop_type,
            "stopping_word": self._word,
            "tokens_cached": len(ids) + len(self._answer.ids) - 1,
            **self._timings(),
        }

    def _frame(self, choices: list[Json]) -> Json:
        kind = self._shape.value
        if self._shape is Shape.CHAT and self._streams:
            kind += ".chunk"
        told = {"choices": choices, "created": now(), "model": str(self._double.backing.path)}
        return {**told, "system_fingerprint": self._double.build, "object": kind, "id": self._id}

    def _finish(self) -> str:
        return "length" if self._stop_type == "limit" else "stop"

    def _usage(self) -> Json:
        if not self._double.framing.usage:
            return {}
        prompt, answer = len(self._asked.ids), len(self._answer.ids)
        details = {"cached_tokens": self._answer.cached}
        counts = {"completion_tokens": answer, "prompt_tokens": prompt, "total_tokens": prompt + answer}
        return {"usage": {**counts, "prompt_tokens_details": details}}

    def _timings_of_partials(self) -> Json:
        return self._timings() if self._body.get("timings_per_token") or self._word else {}

    def _timings(self) -> Json:
        read, decoded = len(self._asked.ids) - self._answer.cached, len(self._answer.ids)
        reading, decoding = self._read - self._began, time.monotonic() - self._read
        told: Json = {"cache_n": self._answer.cached}
        for name, count, seconds in (("prompt", read, reading), ("predicted", decoded, decoding)):
            milliseconds = max(seconds * 1000, 0.001)
            told |= {
                f"{name}_n": count,
                f"{name}_ms": milliseconds,
                f"{name}_per_token_ms": milliseconds / max(count, 1),
                f"{name}_per_second": 1000 * count / milliseconds,
            }
        return {"timings": told}
