"""What an answer must look like, in the forms that servers take."""

import json

from ctxchat.domain.constraint import Constraint
from ctxchat.domain.model import Generation


def grammar_for(generation: Generation, constraint: Constraint) -> str:
    """The grammar of an answer with what may stand before it, begun by its root."""
    if generation.reasoning is None:
        return constraint.grammar
    from ctxchat.engine.grammar.reasoning import behind_reasoning, rooted

    return rooted(*behind_reasoning(constraint.grammar, generation.reasoning, opened=generation.in_reasoning))


def schema_format(schema: str, *, named: bool = True) -> dict[str, object]:
    """A JSON schema as OpenAI's API takes it; those that know of no names for it take it bare."""
    if not named:
        return {"type": "json_object", "schema": json.loads(schema)}
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": json.loads(schema)}}


def is_satisfied(constraint: Constraint, text: str) -> bool:
    """Whether an answer is what was asked for. A server that was given the schema writes JSON with white
    space of its own, which is no fault."""
    from ctxchat.engine.grammar.follower import grammar_of

    grammar = grammar_of(constraint.grammar)
    if grammar.allows(text):
        return True
    if constraint.schema is None:
        return False
    try:
        plain = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        return False
    return grammar.allows(plain)
