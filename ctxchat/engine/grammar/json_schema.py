"""A JSON schema as a grammar.

The grammar allows a part of what the schema allows, never more: properties come in the order of the
schema, those it does not name are left out, and what a grammar cannot say is refused by its name.
An answer that the grammar has led to its end satisfies the schema, so nothing needs to check it again.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import unquote

from ctxchat.domain.errors import UsageError
from ctxchat.engine.grammar import containers
from ctxchat.engine.grammar.json_values import in_json, is_of
from ctxchat.engine.grammar.merging import ANNOTATIONS, Schema, are_apart, merged, types
from ctxchat.engine.grammar.numbers import ANY_INTEGER, ANY_NUMBER, Bounds, integers, numbers
from ctxchat.engine.grammar.rule_book import RuleBook, either, literal
from ctxchat.engine.grammar.rules import ROOT
from ctxchat.engine.grammar.strings import FORMATS, QUOTE, of_length, of_pattern

INEXPRESSIBLE = [
    "not",
    "if",
    "then",
    "else",
    "contains",
    "minContains",
    "maxContains",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
    "multipleOf",
    "uniqueItems",
    "$dynamicRef",
    "$recursiveRef",
]
HARMLESS: dict[str, Any] = {"uniqueItems": False, "multipleOf": 1, "unevaluatedProperties": False}
"""Values of these at which they forbid nothing that is written here."""

MAX_DEPTH = 64

_KEYWORDS = {
    "object": ["properties", "required", "additionalProperties", "minProperties", "maxProperties"],
    "array": ["items", "prefixItems", "additionalItems", "minItems", "maxItems"],
    "string": ["minLength", "maxLength", "pattern", "format"],
    "number": ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
}
_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_SPACE = '"" | " " | "\\n" [ \\t]{0,20}'


def grammar_of_schema(schema: str) -> str:
    """A JSON schema in GBNF. Raises UsageError for one that does not parse, or cannot be expressed."""
    try:
        document = json.loads(schema, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the schema is no JSON: {error}") from error
    converter = _Converter(document)
    try:
        rule = converter.rule(document, "#")
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise UsageError(f"the schema is not understood: {error}") from error
    book = converter.book
    book.define(ROOT, rule)
    return book.text()


class _Converter:
    """Writes rules for a schema and those within it; `at` is always where in the document it stands."""

    def __init__(self, document: Any) -> None:
        self.book = RuleBook()
        self.book.reserve(ROOT)
        self.space = self.book.add("space", _SPACE)
        self._document = document
        self._referred: dict[str, str] = {}
        self._depth = 0

    def rule(self, schema: Any, at: str) -> str:
        """The name of the rule for a schema."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UsageError(f"{at[:60]}…: the schema refers to itself without end, or is too deep")
        if schema is False:
            raise UsageError(f"{at}: the schema allows nothing")
        if schema is True:
            schema = {}
        if not isinstance(schema, dict):
            raise UsageError(f"{at}: a schema is an object, not {json.dumps(schema, default=str)[:60]}")
        name = self._rule(schema, at)
        self._depth -= 1
        return name

    def refused(self, at: str, what: str) -> UsageError:
        return UsageError(f"{at}: {what} cannot be expressed as a grammar")

    def _rule(self, schema: Schema, at: str) -> str:
        for key in INEXPRESSIBLE:
            if key in schema and schema[key] != HARMLESS.get(key, schema):
                raise self.refused(at, key)
        asked = {key: value for key, value in schema.items() if key not in ANNOTATIONS}
        if not asked:
            return self._named("any value", lambda: self.book.add("value", self._body({}, at)))
        if "$ref" in asked:
            return self._reference(asked, at)
        if "allOf" in asked:
            return self.rule(self._resolved(asked, at), at)
        for key in ("anyOf", "oneOf"):
            if key in asked:
                return self._union(asked, key, at)
        if "const" in asked or "enum" in asked:
            return self._values(asked, at)
        return self.book.add(_name(at), self._body(asked, at))

    def _body(self, schema: Schema, at: str) -> str:
        return either([self._typed(each, schema, at) for each in _types(schema, at)])

    def _reference(self, schema: Schema, at: str) -> str:
        if len(schema) > 1:
            return self.rule(self._resolved(schema, at), at)
        pointer = schema["$ref"]
        return self._named(pointer, lambda: self.rule(self._target(pointer, at), pointer))

    def _named(self, name: str, write: Callable[[], str]) -> str:
        """A rule that may refer to itself: it has its name before its body is written."""
        if name not in self._referred:
            self._referred[name] = self.book.reserve(_name(name))
            self._depth, depth = 0, self._depth
            self.book.define(self._referred[name], write())
            self._depth = depth
        return self._referred[name]

    def _resolved(self, schema: Any, at: str, depth: int = 0) -> Schema:
        """A schema and all it refers to in one."""
        if depth > MAX_DEPTH:
            raise UsageError(f"{at}: the schema refers to itself without end")
        if not isinstance(schema, dict):
            return {} if schema is True else {"enum": []}
        parts = [{k: v for k, v in schema.items() if k not in ("$ref", "allOf")}]
        if "$ref" in schema:
            parts.append(self._resolved(self._target(schema["$ref"], at), at, depth + 1))
        parts += [self._resolved(each, at, depth + 1) for each in schema.get("allOf", ())]
        return merged(parts, at)

    def _target(self, pointer: Any, at: str) -> Any:
        """What a reference within the document names."""
        if not isinstance(pointer, str) or not (pointer == "#" or pointer.startswith("#/")):
            raise self.refused(at, f"$ref to {pointer}, which is not in the schema itself,")
        target = self._document
        for step in pointer.split("/")[1:]:
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            try:
                target = target[int(key)] if isinstance(target, list) else target[key]
            except (LookupError, ValueError, TypeError) as error:
                raise UsageError(f"{at}: $ref to {pointer}, which is not there") from error
        return target

    def _union(self, schema: Schema, key: str, at: str) -> str:
        around = {k: v for k, v in schema.items() if k != key}
        whole = [self._resolved({"allOf": [around, each]}, at) for each in schema[key]]
        if key == "oneOf" and not all(are_apart(a, b) for i, a in enumerate(whole) for b in whole[:i]):
            raise self.refused(at, "oneOf whose alternatives may hold together (anyOf can be)")
        each = whole if around else schema[key]
        rules = [self.rule(one, f"{at}/{key}/{number}") for number, one in enumerate(each)]
        return self.book.add(_name(at), either(list(dict.fromkeys(rules))))

    def _values(self, schema: Schema, at: str) -> str:
        values = [schema["const"]] if "const" in schema else schema["enum"]
        beside = set(schema) - {"const", "enum", "type"}
        if beside or ("const" in schema and "enum" in schema):
            raise self.refused(at, f"enum or const with {min(beside, default='each other')}")
        allowed = _types(schema, at) if "type" in schema else _TYPES
        texts = [in_json(value) for value in values if is_of(value, allowed)]
        if not texts:
            raise UsageError(f"{at}: no value is allowed")
        return self.book.add(_name(at), either([literal(text) for text in dict.fromkeys(texts)]))

    def _typed(self, kind: str, schema: Schema, at: str) -> str:
        """The body of a rule for values of one type."""
        match kind:
            case "object":
                return containers.object_body(self, schema, at)
            case "array":
                return containers.array_body(self, schema, at)
            case "string":
                return self._string(schema, at)
            case "integer" | "number":
                return self._number(kind, schema, at)
            case "boolean":
                return '"true" | "false"'
            case _:
                return '"null"'

    def _string(self, schema: Schema, at: str) -> str:
        asked = [key for key in _KEYWORDS["string"] if key in schema]
        bounded = [key for key in asked if key in ("pattern", "format")]
        if bounded and len(asked) > 1:
            raise self.refused(at, f"{asked[0]} with {asked[1]}")
        if "format" in schema:
            if schema["format"] not in FORMATS:
                raise self.refused(at, f"the format {schema['format']}")
            text = self.book.add(schema["format"], FORMATS[schema["format"]])
            return f"{QUOTE} {text} {QUOTE}"
        try:
            if "pattern" in schema:
                return of_pattern(self.book, schema["pattern"])
            return of_length(self.book, schema.get("minLength", 0), schema.get("maxLength"))
        except UsageError as error:
            raise UsageError(f"{at}: {error}") from error

    def _number(self, kind: str, schema: Schema, at: str) -> str:
        bounds = _bounds(schema)
        if bounds.free:
            return self.book.add(kind, ANY_INTEGER if kind == "integer" else ANY_NUMBER)
        whole = kind == "integer" or "multipleOf" in schema
        body = integers(bounds) if whole else numbers(bounds)
        if body is None:
            raise UsageError(f"{at}: no number is within the bounds")
        return body


def _types(schema: Schema, at: str) -> list[str]:
    """The types to write: those that are named, those that keywords speak of, or all."""
    if "type" in schema:
        named = types(schema["type"])
        strange = [each for each in named if each not in _TYPES]
        if strange or not named:
            raise UsageError(f"{at}: the type {strange[0] if strange else 'none'} is not one of JSON's")
        return [each for each in named if each != "integer" or "number" not in named]
    spoken_of = [kind for kind, keys in _KEYWORDS.items() if any(key in schema for key in keys)]
    return spoken_of or [kind for kind in _TYPES if kind != "integer"]


def _bounds(schema: Schema) -> Bounds:
    low, high = schema.get("minimum"), schema.get("maximum")
    low_open, high_open = schema.get("exclusiveMinimum", False), schema.get("exclusiveMaximum", False)
    if low_open is not False and low_open is not True:
        low, low_open = (low_open, True) if low is None or low_open >= low else (low, False)
    if high_open is not False and high_open is not True:
        high, high_open = (high_open, True) if high is None or high_open <= high else (high, False)
    return Bounds(
        None if low is None else Fraction(low), None if high is None else Fraction(high), low_open, high_open
    )


def _name(at: str) -> str:
    """What a rule is called: the last word of where its schema stands."""
    return at.rpartition("/")[2].lstrip("#") or "answer"
