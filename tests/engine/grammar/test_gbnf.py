"""Grammars are read as llama.cpp reads them, and refused before it could fail over them."""

import pytest

from ctxchat.domain.errors import UsageError
from ctxchat.engine.grammar.follower import Follower, Grammar

REFUSED = {
    "": "no rule root",
    "# nothing but this": "no rule root",
    'x ::= "a"': "no rule root",
    'root ::= "a': 'line 1: a " is missing',
    'root ::= "a"\nroot ::= "b"': "line 2: the rule root is there twice",
    'root ::= ("a"': r"a \) is missing",
    'root ::= "a" )': "is not understood",
    "root ::= [a": r"a \] is missing",
    "root ::= []": "holds no character",
    "root ::= x": "names a rule that is not there: x",
    'root = "a"': "lacks its ::=",
    '::= "a"': "the name of a rule is missing",
    "root ::= *": "nothing stands before",
    'root ::= "a"{2': "a } is missing",
    'root ::= "a"{x}': "a number is missing",
    'root ::= "a"{3,2}': "is no number of times",
    'root ::= "a"{2001}': "more than 2,000 rules",
    'root ::= "a"{1000}{3}': "more than 2,000 rules",
    'root ::= "\\q"': "is no escape",
    'root ::= "\\xG1"': "is no escape",
    'root ::= <think> "a"': "tokens cannot be named",
    "root ::= !<[12]>": "tokens cannot be named",
    "root ::= " + "(" * 200: "parentheses stand within",
    'root ::= "\0"': "NUL",
    'root ::= "a" root': "no answer that ends",
    'root ::= "a" "\\x00"': "no answer that ends",
    'root ::= [^\\x00-\\U0010FFFF] | "a" root': "no answer that ends",
    'root ::= root "a" | "b"': "rule root refers to itself",
    'root ::= a "x"\na ::= root | "y"': "refers to itself",
    'root ::= a root "x" | "y"\na ::= b\nb ::= "z" |': "refers to itself",
    'root ::= (" "*)*': "repeats what may be empty",
    'root ::= a\na ::= b*\nb ::= c c\nc ::= "x"?': "rule (a|b|c) refers to itself",
    'root ::= "' + "a" * 300_000 + '"': "characters",
    "root ::= " + '"abcdefgh"' * 100 + "{2000}" + ' ("abcdefghij"{2000} "abcdefghij"{2000})' * 5: "too large",
    "\n".join(f"a{n} ::= a{n + 1} | a{n + 1}" for n in range(60))
    + '\na60 ::= "x"\nroot ::= a0': "too many ways",
    "\n".join(f"a{n} ::= a{n + 1}" for n in range(3000)) + '\na3000 ::= "x"\nroot ::= a0': "too many ways",
}


def allows(grammar: str, text: str) -> bool:
    return Grammar(grammar).allows(text)


@pytest.mark.parametrize("grammar", REFUSED, ids=lambda grammar: grammar[:30])
def test_a_grammar_that_cannot_be_followed_is_refused_in_one_line(grammar: str) -> None:
    with pytest.raises(UsageError, match=REFUSED[grammar]) as refused:
        Grammar(grammar)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("grammar", "allowed", "forbidden"),
    [
        ('root ::= "a" | "b"', ["a", "b"], ["", "c", "ab"]),
        ('root ::= "a"*', ["", "a", "aaa"], ["b", "ab"]),
        ('root ::= "ab"+', ["ab", "abab"], ["", "a", "abb", "aba"]),
        ('root ::= ("ab")+', ["ab", "abab"], ["aba", ""]),
        ('root ::= "a"? "b"', ["b", "ab"], ["a"]),
        ('root ::= "a"{2,3}', ["aa", "aaa"], ["a", "aaaa"]),
        ('root ::= "a"{2}', ["aa"], ["a", "aaa"]),
        ('root ::= "a"{2,}', ["aa", "aaaa"], ["a"]),
        ("root ::= [a-cx]", ["a", "b", "c", "x"], ["d", "-"]),
        ("root ::= [a-]", ["a", "-"], ["b"]),
        ("root ::= [^a-c\\n]", ["d", "é"], ["a", "\n", ""]),
        ("root ::= . .", ["ab", "é\n"], ["a"]),
        ('root ::= "\\x41\\u00e9\\U0001F600\\n\\"\\\\"', ['Aé😀\n"\\'], ["A"]),
        ('root ::= a | # either\n  "x" # or\n# a line\na ::= ("b"\n  "c")\n', ["x", "bc"], ["b"]),
        ('root ::= "(" root ")" | "x"', ["x", "((x))"], ["((x)"]),
        ('root::="a"', ["a"], ["b"]),
    ],
)
def test_a_grammar_allows_what_it_says(grammar: str, allowed: list[str], forbidden: list[str]) -> None:
    assert [text for text in allowed if not allows(grammar, text)] == []
    assert [text for text in forbidden if allows(grammar, text)] == []


def test_an_ending_is_the_shortest_text_that_is_allowed() -> None:
    follower = Follower(Grammar('root ::= "[" ([a-z]+ ",")* ("end" | "finished") "]"'))
    assert follower.ending() == "[end]"
    assert follower.after("[ab").ending() == ",end]"
    assert follower.after("[f").distance == len(",end]")
    assert follower.after("[end]").complete
    assert follower.after("[end]").ended
    assert not follower.after("[end)").knows


def test_nothing_follows_only_where_the_grammar_says_so() -> None:
    follower = Follower(Grammar('root ::= "a" "b"?'))
    assert (follower.after("a").complete, follower.after("a").ended) == (True, False)
    assert follower.after("ab").ended


def test_a_grammar_of_unbounded_ambiguity_is_followed_in_bounded_time() -> None:
    grammar = Grammar('root ::= a\na ::= "x" a "y" | "x" a "z" | "x"')
    assert Follower(grammar).after("x").complete
    assert Follower(grammar).after("x" * 200).knows
