"""A double of llama-server with one slot (`-np 1 --cache-ram 0`)."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any, NoReturn

from ctxchat.domain.errors import UsageError
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.grammar.follower import grammar_of
from ctxchat.engine.grammar.json_schema import grammar_of_schema
from tests.support.servers.double import Body, Double, RefusedError, as_texts, common
from tests.support.servers.llama_answer import LlamaAnswer, Shape
from tests.support.servers.llama_facts import BUILD, model_of, models, props, slots
from tests.support.servers.runner import Asked
from tests.support.servers.wire import GLANCE, Exchange

UNLIMITED = 1 << 20


class LlamaDouble(Double):
    """`slot` are the ids in its cells."""

    software = "llama.cpp"
    json_type = "application/json; charset=utf-8"
    closes_on_errors = True
    answering = frozenset({"/completion", "/completions", "/v1/completions", "/v1/chat/completions"})
    build = BUILD

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.slot: tuple[int, ...] = ()
        self._busy = Lock()

    @property
    def routes(self) -> Mapping[tuple[str, str], Callable[[Exchange, Body], None]]:
        return {
            ("GET", "/health"): lambda exchange, _: exchange.json({"status": "ok"}),
            ("GET", "/props"): lambda exchange, _: exchange.json(props(self)),
            ("GET", "/slots"): lambda exchange, _: exchange.json(slots(self)),
            ("GET", "/v1/models"): lambda exchange, _: exchange.json(models(self)),
            ("GET", "/models"): lambda exchange, _: exchange.json(models(self)),
            ("POST", "/tokenize"): self._tokenize,
            ("POST", "/detokenize"): self._detokenize,
            ("POST", "/apply-template"): lambda exchange, body: exchange.json({"prompt": self._render(body)}),
            ("POST", "/completion"): lambda exchange, body: self._complete(exchange, body, Shape.OWN),
            ("POST", "/completions"): lambda exchange, body: self._complete(exchange, body, Shape.OWN),
            ("POST", "/v1/completions"): lambda exchange, body: self._complete(exchange, body, Shape.TEXT),
            ("POST", "/v1/chat/completions"): self._chat,
        }

    @property
    def model(self) -> dict[str, object]:
        return model_of(self)

    def refuse(
        self, message: str, status: int = 400, kind: str = "invalid_request_error", **more: object
    ) -> NoReturn:
        raise RefusedError(status, {"error": {"code": status, "message": message, "type": kind, **more}})

    def refuse_key(self, path: str) -> None:
        if path not in {"/health", "/v1/health"}:
            self.refuse("Invalid API Key", 401, "authentication_error")

    def unreadable(self, reason: str) -> tuple[int, Body]:
        message = f"[json.exception.parse_error.101] parse error: {reason}"
        return 500, {"error": {"code": 500, "message": message, "type": "server_error"}}

    def refuse_path(self, method: str, path: str) -> None:
        self.refuse("File Not Found", 404, "not_found_error")

    def _tokenize(self, exchange: Exchange, body: Body) -> None:
        begin, special = body.get("add_special", False), body.get("parse_special", True)
        ids = (
            self.backing.tokenize(body["content"], special=special, begin=begin) if "content" in body else ()
        )
        if body.get("with_pieces"):
            exchange.json({"tokens": [{"id": token, "piece": self._piece(token)} for token in ids]})
        else:
            exchange.json({"tokens": list(ids)})

    def _piece(self, token: int) -> str | list[int]:
        piece = self.backing.vocabulary.piece(token)
        try:
            return piece.decode()
        except UnicodeDecodeError:
            return list(piece)

    def _detokenize(self, exchange: Exchange, body: Body) -> None:
        exchange.json({"content": self.backing.vocabulary.text(body.get("tokens", ()))})

    def _render(self, body: Body) -> str:
        if not isinstance(body.get("messages"), list):
            self.refuse("'messages' is required")
        return self.backing.render(body["messages"], answer=body.get("add_generation_prompt", True))

    def _chat(self, exchange: Exchange, body: Body) -> None:
        shaped = body.get("response_format") or {}
        if shaped.get("type") == "json_schema":
            body = {**body, "json_schema": shaped["json_schema"].get("schema", {})}
        elif shaped.get("type") == "json_object":
            body = {**body, "json_schema": shaped.get("schema", {})}
        elif shaped.get("type") not in {None, "text"}:
            self.refuse(
                f'response_format type must be one of "text" or "json_object", but got: {shaped["type"]}'
            )
        if "json_schema" in body and body.get("grammar"):
            self.refuse("Cannot use both json_schema and grammar")
        self._complete(exchange, {**body, "prompt": self._render(body)}, Shape.CHAT)

    def _complete(self, exchange: Exchange, body: Body, shape: Shape) -> None:
        if "prompt" not in body:
            self.refuse("[json.exception.out_of_range.403] key 'prompt' not found")
        asked = self._asked(body)
        if not asked.ids:
            self.refuse('"prompt" must not be empty')
        if not all(map(self.backing.vocabulary.holds, asked.ids)):
            self.refuse("Prompt contains invalid tokens")
        held = self.backing.window
        if len(asked.ids) >= held:
            message = (
                f"request ({len(asked.ids)} tokens) exceeds the available context size ({held} tokens), "
                "try increasing it"
            )
            self.refuse(message, kind="exceed_context_size_error", n_prompt_tokens=len(asked.ids), n_ctx=held)
        with self._the_slot(exchange):
            cached = common(self.slot, asked.ids) if body.get("cache_prompt", True) else 0
            cached = min(cached, len(asked.ids) - 1)
            with self.generating(exchange, asked, cached) as answer:
                try:
                    LlamaAnswer(self, exchange, body, shape, asked, answer).write()
                finally:
                    # The last token that was decoded is in no cell yet.
                    self.slot = (*asked.ids, *answer.ids[:-1])

    @contextmanager
    def _the_slot(self, exchange: Exchange) -> Iterator[None]:
        """Wait for the one slot, while the client does."""
        while not self._busy.acquire(timeout=GLANCE):
            exchange.check_client()
        try:
            yield
        finally:
            self._busy.release()

    def _asked(self, body: Body) -> Asked:
        prompt = body["prompt"]
        ids = self.backing.tokenize(prompt, begin=True) if isinstance(prompt, str) else tuple(prompt)
        wished = next(
            (body[key] for key in ("n_predict", "max_completion_tokens", "max_tokens") if key in body), -1
        )
        room = self.backing.window - len(ids)
        # Where none is wished for, one is decoded all the same.
        limit = min(room, UNLIMITED if wished is None or wished < 0 else max(1, wished))
        return Asked(ids, limit, _sampling(body), self._grammar(body))

    def _grammar(self, body: Body) -> str | None:
        if body.get("grammar"):
            try:
                grammar_of(str(body["grammar"]))
            except UsageError:
                self.refuse("Failed to initialize samplers: failed to parse grammar")
            return str(body["grammar"])
        if "json_schema" in body:
            try:
                return grammar_of_schema(json.dumps(body["json_schema"] or {"type": "object"}))
            except UsageError as error:
                why = f"JSON schema conversion failed:\n{error}"
                self.refuse(f"Field 'json_schema': \"json_schema\": {why}")
        return None


def _sampling(body: Mapping[str, Any]) -> Sampling:
    names = (
        "temperature", "top_k", "top_p", "min_p", "typical_p",
        "repeat_penalty", "repeat_last_n", "presence_penalty", "frequency_penalty",
    )  # fmt: skip
    given = {name: body[name] for name in names if body.get(name) is not None}
    seed = body.get("seed")
    return Sampling(**given, seed=None if seed in {None, -1} else seed, stop=as_texts(body.get("stop")))
