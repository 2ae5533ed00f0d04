"""What an answer must look like, from what a person wrote."""

from ctxchat.domain.constraint import Constraint


def schema_constraint(schema: str) -> Constraint:
    """A JSON schema that the answer satisfies. Raises UsageError for one that does not parse, or that
    cannot be held while an answer is written."""
    from ctxchat.engine.grammar.follower import grammar_of
    from ctxchat.engine.grammar.json_schema import grammar_of_schema

    return Constraint(grammar_of(grammar_of_schema(schema)).text, "schema", schema)


def grammar_constraint(grammar: str) -> Constraint:
    """A grammar in GBNF. Raises UsageError for one that does not parse, or that never ends."""
    from ctxchat.engine.grammar.follower import grammar_of

    return Constraint(grammar_of(grammar).text, "grammar")
