"""Answers under a JSON schema, each validated by a library that the program does not use."""

import json
import time
from collections.abc import Mapping
from typing import Any

import jsonschema
from server_chat import Target, at_server

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import TurnFinished
from ctxchat.domain.receipt import Receipt
from ctxchat.domain.sampling import Sampling
from ctxchat.service.chat import ChatService
from ctxchat.service.request import AskRequest
from ctxchat.service.wiring.constraints import schema_constraint

PRIORITIES = ["low", "normal", "high"]
TEXT = {"type": "string", "minLength": 1, "maxLength": 24}
ORDER: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "number": {"type": "integer", "minimum": 1, "maximum": 9999},
        "customer": {
            "type": "object",
            "properties": {
                "name": TEXT,
                "address": {
                    "type": "object",
                    "properties": {"street": TEXT, "country": {"enum": ["DE", "FR", "US"]}},
                    "required": ["street", "country"],
                    "additionalProperties": False,
                },
            },
            "required": ["name", "address"],
            "additionalProperties": False,
        },
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "article": TEXT,
                    "count": {"type": "integer", "minimum": 1, "maximum": 99},
                    "options": {"type": "array", "items": TEXT, "maxItems": 2},
                },
                "required": ["article", "count"],
                "additionalProperties": False,
            },
            "minItems": 1,
            "maxItems": 3,
        },
        "paid": {"type": "boolean"},
        "priority": {"enum": PRIORITIES},
    },
    "required": ["number", "customer", "lines", "paid", "priority"],
    "additionalProperties": False,
}
ORDERS = 10
ASKED_FOR_AN_ORDER = "Write an order of a customer of a bicycle shop as JSON."


def answered_by_schema(target: Target) -> dict[str, Any]:
    """Answers that a schema holds, each validated by another library."""
    service, _ = at_server(target)
    constraint = schema_constraint(json.dumps(ORDER))
    problems: list[str] = []
    answers: list[str] = []
    began = time.monotonic()
    for seed in range(ORDERS):
        sampling = Sampling(temperature=0.7, seed=seed, max_tokens=600)
        receipt = _receipt(service, AskRequest(ASKED_FOR_AN_ORDER, sampling=sampling, constraint=constraint))
        answers.append(receipt.answer)
        if receipt.error:
            problems.append(f"answer {seed + 1}: {receipt.error.message}")
            continue
        try:
            jsonschema.validate(json.loads(receipt.answer), ORDER)
        except (ValueError, jsonschema.ValidationError) as error:
            problems.append(f"answer {seed + 1}: {str(error).splitlines()[0]}")
    service.close()
    seconds = time.monotonic() - began
    return {"answers": len(answers), "shown": answers[:2], "seconds": seconds, "problems": problems}


def _receipt(service: ChatService, request: AskRequest) -> Receipt:
    *_, last = service.ask(request, Cancel())
    assert isinstance(last, TurnFinished)
    return last.receipt
