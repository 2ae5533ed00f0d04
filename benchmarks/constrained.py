"""What it costs to hold a JSON schema while SmolLM2 answers, and whether the answers satisfy it.

    python benchmarks/constrained.py [ANSWERS]

Each question is answered twice in one process, with one thread and the same seed: under the schema,
and free with as many tokens at the most. CPU time from the question to the end of the answer, its
prompt in cells already. Answers are checked by `jsonschema`, which the program itself does not use.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import jsonschema

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.constraint import Constraint
from ctxchat.domain.events import Generated
from ctxchat.domain.model import Generation
from ctxchat.domain.sampling import Sampling
from ctxchat.engine.grammar.json_schema import grammar_of_schema
from ctxchat.engine.llama.model import LlamaModel
from ctxchat.engine.llama.options import EngineOptions

sys.path.insert(0, str(Path(__file__).parent / "workers"))
import smol

ADDRESS = {
    "type": "object",
    "properties": {
        "street": {"type": "string", "minLength": 1},
        "zip": {"type": "string", "pattern": "^[0-9]{5}$"},
        "country": {"enum": ["DE", "FR", "US"]},
    },
    "required": ["street", "country"],
}
LINE = {
    "type": "object",
    "properties": {
        "article": {"type": "string"},
        "count": {"type": "integer", "minimum": 1, "maximum": 99},
        "price": {"type": "number", "exclusiveMinimum": 0},
        "options": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
    },
    "required": ["article", "count", "price"],
}
ORDER = {
    "$defs": {"address": ADDRESS, "line": LINE},
    "type": "object",
    "properties": {
        "number": {"type": "integer", "minimum": 1},
        "placed": {"type": "string", "format": "date"},
        "customer": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 1},
                "email": {"anyOf": [{"type": "string", "format": "email"}, {"type": "null"}]},
                "addresses": {"type": "array", "items": {"$ref": "#/$defs/address"}, "minItems": 1},
            },
            "required": ["name", "addresses"],
        },
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "minItems": 1, "maxItems": 5},
        "payment": {
            "oneOf": [
                {"type": "object", "properties": {"by": {"const": "card"}, "paid": {"type": "boolean"}},
                 "required": ["by", "paid"]},
                {"type": "object", "properties": {"by": {"const": "invoice"}, "days": {"type": "integer"}},
                 "required": ["by", "days"]},
            ]
        },
        "note": {"type": "string"},
    },
    "required": ["number", "placed", "customer", "lines", "payment"],
}  # fmt: skip
QUESTION = "Write an order of a customer of a bicycle shop as JSON, with addresses, lines and payment."
LIMIT = 256


def answer(
    model: LlamaModel, ids: tuple[int, ...], seed: int, limit: int, schema: Constraint | None
) -> Generated:
    *_, last = model.generate(Generation(ids, Sampling(seed=seed), limit, constraint=schema), Cancel())
    assert isinstance(last, Generated)
    return last


def timed(*asked: object) -> tuple[Generated, float]:
    began = time.process_time()
    given = answer(*asked)  # type: ignore[arg-type]
    return given, time.process_time() - began


def satisfies(text: str) -> bool:
    try:
        jsonschema.validate(json.loads(text), ORDER)
    except (ValueError, jsonschema.ValidationError):
        return False
    return True


def main() -> None:
    answers = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    schema = Constraint(grammar_of_schema(json.dumps(ORDER)), "schema")
    model = LlamaModel(smol.path(), EngineOptions(window=2048, threads=1, threads_batch=1))
    list(model.load(Cancel()))
    ids = model.vocabulary.tokenize(smol.PROMPT.format(question=QUESTION), special=True, after=None)
    answer(model, ids, 0, 8, schema)
    held, ended, ratios, under, free = 0, 0, [], [], []
    for seed in range(answers):
        one, seconds = timed(model, ids, seed, LIMIT, schema)
        other, free_seconds = timed(model, ids, seed, len(one.text_ids), None)
        held += satisfies(one.text) and one.satisfied
        ended += one.finish == "stop"
        under.append(seconds / len(one.text_ids) * 1000)
        free.append(free_seconds / len(other.text_ids) * 1000)
        ratios.append(under[-1] / free[-1] - 1)
        print(
            f"{seed:3}  {len(one.text_ids):4} tokens  {under[-1]:6.2f} ms  free {free[-1]:6.2f} ms",
            flush=True,
        )
    print(f"satisfied {held} of {answers}, of which {ended} ended before the limit of {LIMIT} tokens")
    print(
        f"CPU a token, median: {statistics.median(under):.2f} ms under the schema,"
        f" {statistics.median(free):.2f} ms free; the cost of the schema {statistics.median(ratios):.1%}"
        f" ({statistics.quantiles(ratios, n=4)[0]:.1%} to {statistics.quantiles(ratios, n=4)[2]:.1%})"
    )
    model.close()


if __name__ == "__main__":
    main()
