"""Whatever a schema's grammar allows satisfies the schema; what it cannot say is refused by name."""

import json
from random import Random
from typing import Any

import jsonschema
import pytest

from ctxchat.domain.errors import UsageError
from ctxchat.engine.grammar.follower import Follower, Grammar, Place
from ctxchat.engine.grammar.json_schema import grammar_of_schema

NODE = {
    "type": "object",
    "properties": {"v": {"type": "integer"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
    "required": ["v"],
}
CARD = {
    "type": "object",
    "properties": {"by": {"const": "card"}, "n": {"type": "integer"}},
    "required": ["by", "n"],
}
CASH = {"type": "object", "properties": {"by": {"const": "cash"}}, "required": ["by"]}
PARTS: dict[str, Any] = {
    "name": {"type": "string", "minLength": 2, "maxLength": 40},
    "long": {"type": "string", "maxLength": 5000},
    "age": {"type": "integer", "minimum": 0, "maximum": 150},
    "share": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    "below": {"type": "number", "exclusiveMaximum": -2.5},
    "kind": {"enum": ["a", 'b"q', "é\\n", 1, None, [1, {"x": 2.50}]]},
    "no": {"const": False},
    "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 3},
    "when": {"type": "string", "format": "date-time"},
    "code": {"type": "string", "pattern": '^[A-Z]{3}-\\d{2,4}(-x|"\\\\y|[^a-z]?)$'},
    "open": {"type": "string", "pattern": "^(ab)+"},
    "maybe": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]},
    "several": {"type": ["string", "null", "integer"], "maxLength": 3, "minimum": 5},
    "pay": {"oneOf": [CARD, CASH]},
    "map": {"type": "object", "additionalProperties": {"type": "boolean"}, "maxProperties": 2},
    "any": {},
    "free": {"type": "object"},
    "list": {"type": "array"},
    "pair": {"type": "array", "prefixItems": [{"type": "boolean"}, {"type": "null"}], "items": False},
    "both": {"allOf": [{"$ref": "#/$defs/node"}, {"properties": {"w": {"type": "null"}}, "required": ["w"]}]},
    "implied": {"properties": {"x": {"minimum": 3}}, "required": ["y"]},
    "bare": {"required": ["z"]},
    "none": {"type": "object", "properties": {}, "additionalProperties": False},
    "uuid": {"type": "string", "format": "uuid"},
    "mail": {"type": "string", "format": "email"},
    "host": {"type": "string", "format": "ipv4"},
}
WHOLE = {"type": "object", "properties": PARTS, "required": list(PARTS)[::2], "$defs": {"node": NODE}}
DEFINED = {"$defs": {"node": NODE}}
GRAMMARS = {name: Grammar(grammar_of_schema(json.dumps(part | DEFINED))) for name, part in PARTS.items()}


def written(grammar: Grammar, chance: Random, length: int) -> str:
    """A text that a grammar allows: any way through it, then the shortest to the end."""
    places, text = grammar.begin, ""
    for _ in range(length):
        ways = sorted((p for p in places if p is not None), key=lambda p: (p.length, p.text, repr(p.rest[0])))
        if not ways or (None in places and chance.random() < 0.5):
            break
        character = _character(chance.choice(ways), chance)
        places, text = grammar.step(places, character), text + character
    return text + Follower(grammar).after(text).ending()


def _character(place: Place, chance: Random) -> str:
    symbol = place.rest[0]
    assert not isinstance(symbol, str)
    one = symbol.one()
    assert one is not None
    if symbol.negated or chance.random() < 0.2:
        return chance.choice([one, *(c for c in 'aZ5é😀" \\/\x7f\n' if symbol.hold(ord(c)))])
    low, high = chance.choice(symbol.ranges)
    return chr(chance.randint(low, min(high, low + 90)))


def satisfies(text: str, schema: Any) -> None:
    jsonschema.validate(json.loads(text), schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("name", PARTS)
def test_what_the_grammar_of_a_schema_allows_satisfies_it(name: str) -> None:
    for seed in range(30):
        satisfies(written(GRAMMARS[name], Random(seed), 80), PARTS[name] | DEFINED)


def test_a_schema_of_all_of_them_is_satisfied_too() -> None:
    grammar = Grammar(grammar_of_schema(json.dumps(WHOLE)))
    for seed in range(30):
        satisfies(written(grammar, Random(seed), 300), WHOLE)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (
            {"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}},
            '{ "a": 1, "b": [null, {"x": 1.5e3}]}',
        ),
        ({"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}}, '{"b":""}'),
        (
            {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["b"]},
            '{\n  "b": "x\\n\\u00e9"\n}',
        ),
        ({"type": "array", "items": {"type": "number"}}, "[-0.5, 12, 1e9]"),
        ({"type": "string", "format": "date"}, '"2024-02-28"'),
        (PARTS["both"] | DEFINED, '{"v": 1, "kids": [{"v": 2}], "w": null}'),
        ({}, '{"a": [true]}'),
    ],
)
def test_what_a_model_would_write_is_allowed(schema: Any, text: str) -> None:
    assert Grammar(grammar_of_schema(json.dumps(schema))).allows(text)


REFUSED: dict[str, str] = {
    "{": "no JSON",
    "[1]": "a schema is an object",
    '{"type": "objekt"}': "type objekt is not one of JSON's",
    '{"type": []}': "type none",
    '{"properties": {"a": false}, "required": ["a"]}': "#/properties/a: the schema allows nothing",
    '{"properties": {"t": {"type": "array", "uniqueItems": true}}}': "#/properties/t: uniqueItems cannot",
    '{"not": {}}': "not cannot be expressed",
    '{"if": {}, "then": {}}': "if cannot|then cannot",
    '{"patternProperties": {"a": {}}}': "patternProperties cannot",
    '{"type": "number", "multipleOf": 0.5}': "multipleOf cannot",
    '{"type": "string", "format": "iri"}': "the format iri cannot",
    '{"type": "string", "pattern": "^a$", "maxLength": 3}': "maxLength with pattern|pattern with",
    '{"type": "string", "pattern": "(?=a)b"}': "assert",
    '{"type": "string", "pattern": "(a)\\\\1"}': "groupref",
    '{"type": "string", "pattern": "(?i)a"}': "sets flags",
    '{"type": "string", "pattern": "(?i:a)"}': "cannot be held",
    '{"type": "string", "pattern": "("}': "is not understood",
    '{"type": "string", "minLength": 3, "maxLength": 2}': "no length",
    '{"type": "string", "minLength": 3000}': "more than 2,000",
    '{"type": "integer", "minimum": 3, "maximum": 2}': "no number is within",
    '{"type": "array", "minItems": 3, "maxItems": 2}': "no number of items",
    '{"enum": []}': "no value is allowed",
    '{"type": "string", "enum": [1]}': "no value is allowed",
    '{"$ref": "https://example.org/x.json"}': "not in the schema itself",
    '{"$ref": "#/$defs/x"}': "which is not there",
    '{"$ref": "#/a", "a": {"$ref": "#/a"}}': "no answer that ends|refers to itself",
    '{"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}}': "no answer that ends",
    '{"oneOf": [{"type": "integer"}, {"type": "number"}]}': "oneOf whose alternatives",
    '{"required": ["a"], "additionalProperties": false}': "a is required, and not allowed",
    '{"type": "string", "minLength": "3"}': "is not understood",
    '{"allOf": [{"pattern": "^a$"}, {"pattern": "^b$"}]}': "allOf with two of pattern",
    "[" * 100_000: "no JSON",
    json.dumps({"properties": {"a": {"items": {"$ref": "#"}, "$ref": "#"}}}): "without end|too deep|cannot",
}


@pytest.mark.parametrize("schema", REFUSED, ids=lambda schema: schema[:40])
def test_a_schema_that_cannot_be_held_is_refused_in_one_line(schema: str) -> None:
    with pytest.raises(UsageError, match=REFUSED[schema]) as refused:
        Grammar(grammar_of_schema(schema))
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300
