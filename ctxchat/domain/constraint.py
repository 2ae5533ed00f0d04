"""What an answer must look like."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constraint:
    """A grammar in GBNF that the text of an answer must satisfy; `name` is what a message calls it, and
    `schema` the JSON schema it was made from, None where there was none."""

    grammar: str
    name: str = "grammar"
    schema: str | None = None
