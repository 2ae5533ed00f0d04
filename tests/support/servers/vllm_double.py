"""A double of vLLM 0.26, started with `--enable-prompt-tokens-details` unless `details` is False."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from ctxchat.domain.errors import ModelError, UsageError
from tests.support.servers.backing import now
from tests.support.servers.blocks import Blocks
from tests.support.servers.double import Body, Double, RefusedError
from tests.support.servers.runner import Asked
from tests.support.servers.vllm_answer import VllmAnswer
from tests.support.servers.vllm_request import grammar_asked, sampling_asked
from tests.support.servers.wire import Exchange

COMPLETION_TOKENS = 16
"""What a completion may have where nothing is said of it."""


class VllmDouble(Double):
    """`blocks` is the prefix cache; with `reasoning` (vLLM's `--reasoning-parser`) it is told apart."""

    software = "uvicorn"
    stream_type = "text/event-stream; charset=utf-8"
    answering = frozenset({"/v1/completions", "/v1/chat/completions"})
    version = "0.26.0"

    def __init__(self, *args: Any, details: bool = True, reasoning: bool = False, **more: Any) -> None:
        super().__init__(*args, **more)
        self.blocks, self.details, self.reasoning = Blocks(), details, reasoning

    @property
    def routes(self) -> Mapping[tuple[str, str], Callable[[Exchange, Body], None]]:
        return {
            ("GET", "/health"): lambda exchange, _: exchange.reply(200, b"", {}),
            ("GET", "/version"): lambda exchange, _: exchange.json({"version": self.version}),
            ("GET", "/metrics"): self._metrics,
            ("GET", "/v1/models"): self._models,
            ("POST", "/tokenize"): self._tokenize,
            ("POST", "/detokenize"): self._detokenize,
            ("POST", "/v1/completions"): lambda exchange, body: self._complete(exchange, body, chat=False),
            ("POST", "/v1/chat/completions"): lambda exchange, body: self._complete(
                exchange, body, chat=True
            ),
        }

    def refuse(
        self, message: str, param: str | None = None, status: int = 400, kind: str = "BadRequestError"
    ) -> NoReturn:
        raise RefusedError(
            status, {"error": {"message": message, "type": kind, "param": param, "code": status}}
        )

    def refuse_key(self, path: str) -> None:
        if path.startswith("/v1"):
            raise RefusedError(401, {"error": "Unauthorized"})

    def refuse_path(self, method: str, path: str) -> None:
        raise RefusedError(
            404, {"error": {"message": "Not Found", "type": "NotFoundError", "param": None, "code": 404}}
        )

    def _models(self, exchange: Exchange, _: Body) -> None:
        model = {"id": self.name, "object": "model", "created": now(), "owned_by": "vllm", "root": self.name}
        model |= {"parent": None, "max_model_len": self.backing.window, "permission": []}
        exchange.json({"object": "list", "data": [model]})

    def _metrics(self, exchange: Exchange, _: Body) -> None:
        label = f'{{engine="0",model_name="{self.name}"}}'
        gauges = {"vllm:num_requests_running": self.running, "vllm:num_requests_waiting": 0}
        counters = {
            "vllm:prefix_cache_queries_total": sum(len(answer.prompt) for answer in self.answers),
            "vllm:prefix_cache_hits_total": sum(answer.cached for answer in self.answers),
        }
        lines = [
            f"# HELP {name} {name}.\n# TYPE {name} {kind}\n{name}{label} {float(value)}\n"
            for kind, values in (("gauge", gauges), ("counter", counters))
            for name, value in values.items()
        ]
        kind = {"Content-Type": "text/plain; version=1.0.0; charset=utf-8"}
        exchange.reply(200, "".join(lines).encode(), kind)

    def _tokenize(self, exchange: Exchange, body: Body) -> None:
        self._check_model(body)
        ids = self._ids(body, begin=body.get("add_special_tokens", "messages" not in body))
        vocabulary = self.backing.vocabulary
        pieces = [vocabulary.text((token,)) for token in ids] if body.get("return_token_strs") else None
        told = {"count": len(ids), "max_model_len": self.backing.window, "tokens": list(ids)}
        exchange.json({**told, "token_strs": pieces})

    def _detokenize(self, exchange: Exchange, body: Body) -> None:
        exchange.json({"prompt": self.backing.vocabulary.text(body["tokens"])})

    def _check_model(self, body: Body) -> None:
        if body.get("model") not in {None, self.name}:
            self.refuse(f"The model `{body['model']}` does not exist.", "model", 404, "NotFoundError")

    def _ids(self, body: Body, *, begin: bool) -> tuple[int, ...]:
        if "messages" in body:
            try:
                text = self.backing.render(body["messages"], answer=body.get("add_generation_prompt", True))
            except ModelError as error:
                self.refuse(str(error))
            return self.backing.tokenize(text, begin=begin)
        prompt = body.get("prompt")
        if not prompt:
            self.refuse("Either prompt or prompt_embeds must be provided and non-empty.", "prompt")
        return self.backing.tokenize(prompt, begin=begin) if isinstance(prompt, str) else tuple(prompt)

    def _complete(self, exchange: Exchange, body: Body, *, chat: bool) -> None:
        self._check_model(body)
        if body.get("stream_options") and not body.get("stream"):
            self.refuse("Stream options can only be defined when `stream=True`.", "stream_options")
        outputs = body.get("structured_outputs") or {}
        if sum(outputs.get(kind) is not None for kind in ("json", "regex", "choice", "grammar")) > 1:
            self.refuse(
                "You can only use one kind of constraints for structured outputs ('json', 'regex' or "
                "'choice').",
                "structured_outputs",
            )
        asked = self._asked(body, chat=chat)
        cached = self.blocks.cached(asked.ids)
        with self.generating(exchange, asked, cached) as answer:
            try:
                VllmAnswer(self, exchange, body, asked, answer, chat=chat).write()
            finally:
                self.blocks.keep((*asked.ids, *answer.ids[:-1]))

    def _asked(self, body: Body, *, chat: bool) -> Asked:
        window = self.backing.window
        wished = body.get("max_completion_tokens") or body.get("max_tokens")
        if wished is None and not chat:
            wished = COMPLETION_TOKENS
        ids = self._ids(body, begin=not chat and body.get("add_special_tokens", True))
        strangers = [token for token in ids if not self.backing.vocabulary.holds(token)]
        if strangers:
            self.refuse(f"Token id {max(strangers)} is out of vocabulary")
        if (wished or 0) > window:
            self.refuse(
                f"max_tokens={wished} cannot be greater than max_model_len=max_total_tokens={window}. "
                "Please request fewer output tokens.",
                "max_tokens",
            )
        if len(ids) > window - (wished or 0) or len(ids) >= window:
            self.refuse(
                f"You passed {len(ids)} input tokens and requested {wished or 0} output tokens. However, the "
                f"model's context length is only {window} tokens, resulting in a maximum input length of "
                f"{window - (wished or 0)} tokens. Please reduce the length of the input prompt.",
                "input_tokens",
            )
        limit = window - len(ids) if wished is None else min(wished, window - len(ids))
        try:
            return Asked(ids, limit, sampling_asked(body), grammar_asked(body))
        except UsageError as error:
            grammar = (body.get("structured_outputs") or {}).get("grammar") is not None
            schema = f"Failed to transform json schema into a grammar: {error}"
            self.refuse("Invalid grammar specification." if grammar else schema)
