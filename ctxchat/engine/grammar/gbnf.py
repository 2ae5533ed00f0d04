"""GBNF, llama.cpp's notation of grammars, read as llama.cpp reads it.

What is refused here would be refused there as well, but by printing the whole grammar on stderr and
without a line; and some of it would end the process.
"""

from ctxchat.domain.errors import UsageError
from ctxchat.engine.grammar.rules import Characters, Rules, Sequence, Symbol

MAX_REPETITION = 2000
MAX_NESTING = 100
MAX_CHARACTERS = 1 << 18
MAX_SYMBOLS = 1 << 17

_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
_DIGITS = frozenset("0123456789")
_HEX = {"x": 2, "u": 4, "U": 8}
_ESCAPES = {"t": "\t", "r": "\r", "n": "\n", "\\": "\\", '"': '"', "[": "[", "]": "]", "-": "-"}
_TIMES = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_ANY = Characters((), negated=True)


def read_rules(grammar: str) -> Rules:
    """The rules of a grammar, repetitions written out as rules of their own. Raises UsageError."""
    if len(grammar) > MAX_CHARACTERS:
        raise UsageError(f"the grammar has {len(grammar):,} characters: {MAX_CHARACTERS:,} are the most")
    if "\0" in grammar:
        raise UsageError("the grammar holds a NUL character")
    return _Reader(grammar).rules()


class _Reader:
    """A place in a grammar, and the rules read before it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._rules: Rules = {}
        self._names: set[str] = set()
        self._symbols = 0
        self._weight = 1

    def rules(self) -> Rules:
        self._skip(newlines=True)
        while self._at < len(self._text):
            self._rule()
        return self._rules

    def _rule(self) -> None:
        name = self._name()
        self._names.add(name)
        if name in self._rules:
            raise self._error(f"the rule {name} is there twice")
        self._skip()
        if not self._text.startswith("::=", self._at):
            raise self._error(f"the rule {name} lacks its ::=")
        self._at += 3
        self._skip(newlines=True)
        self._alternatives(name, name, nested=0)
        if self._next() not in ("\n", "\r", ""):
            raise self._error(f"{self._next()!r} is not understood")
        self._skip(newlines=True)

    def _alternatives(self, base: str, name: str, nested: int) -> None:
        alternatives = [self._sequence(base, nested)]
        while self._next() == "|":
            self._at += 1
            self._skip(newlines=True)
            alternatives.append(self._sequence(base, nested))
        self._add(name, *alternatives)

    def _sequence(self, base: str, nested: int) -> Sequence:
        symbols: list[Symbol] = []
        last = 0
        while (c := self._next()) and (c in '"[(.*+?{' or c in _NAME or c in "<!"):
            if c in "*+?{":
                if last == len(symbols):
                    raise self._error(f"nothing stands before {c} that could be repeated")
                symbols[last:] = self._repeated(base, tuple(symbols[last:]), *self._times())
            else:
                last = len(symbols)
                symbols += self._item(base, nested)
            self._skip(newlines=nested > 0)
        return tuple(symbols)

    def _item(self, base: str, nested: int) -> list[Symbol]:
        """The symbols of what is not repeated yet; its weight is the number of rules it brings."""
        before, self._weight = len(self._names), 1
        match self._next():
            case '"':
                return self._literal()
            case "[":
                return [self._class()]
            case ".":
                self._at += 1
                return [_ANY]
            case "(":
                name = self._group(base, nested + 1)
                self._weight = max(1, len(self._names) - before)
                return [name]
            case "<" | "!":
                raise self._error("tokens cannot be named: write the text they stand for")
            case _:
                name = self._name()
                self._names.add(name)
                return [name]

    def _group(self, base: str, nested: int) -> str:
        if nested > MAX_NESTING:
            raise self._error(f"parentheses stand within more than {MAX_NESTING} others")
        self._at += 1
        self._skip(newlines=True)
        name = self._new_name(base)
        self._alternatives(base, name, nested)
        if self._next() != ")":
            raise self._error("a ) is missing")
        self._at += 1
        return name

    def _times(self) -> tuple[int, int | None]:
        c = self._next()
        self._at += 1
        if c != "{":
            return _TIMES[c]
        self._skip()
        least = self._number()
        most: int | None = least
        if self._next() == ",":
            self._at += 1
            self._skip()
            most = self._number() if self._next() in _DIGITS else None
        if self._next() != "}":
            raise self._error("a } is missing")
        self._at += 1
        return least, most

    def _repeated(self, base: str, symbols: Sequence, least: int, most: int | None) -> list[Symbol]:
        """What stands for the symbols so many times, as llama.cpp writes it out."""
        if most is not None and most < least:
            raise self._error(f"{{{least},{most}}} is no number of times")
        if max(least, most or 0, self._weight * (most or least or 1)) > MAX_REPETITION:
            raise self._error(f"what is repeated makes more than {MAX_REPETITION:,} rules")
        self._weight *= most or least or 1
        self._count(len(symbols) * (most or least or 1))
        rest: Sequence = ()
        for _ in range(1 if most is None else most - least):
            name = self._new_name(base)
            again = (name,) if most is None else rest
            self._add(name, (*symbols, *again), ())
            rest = (name,)
        return [*symbols * least, *rest]

    def _literal(self) -> list[Symbol]:
        self._at += 1
        symbols: list[Symbol] = []
        while self._next() != '"':
            code = self._character('a " is missing')
            symbols.append(Characters(((code, code),)))
        self._at += 1
        return symbols

    def _class(self) -> Characters:
        self._at += 1
        negated = self._next() == "^"
        self._at += negated
        ranges: list[tuple[int, int]] = []
        while self._next() != "]":
            low = high = self._character("a ] is missing")
            if self._next() == "-" and self._text[self._at + 1 : self._at + 2] != "]":
                self._at += 1
                high = self._character("a ] is missing")
            ranges.append((low, high))
        if not ranges:
            raise self._error("[] holds no character")
        self._at += 1
        return Characters(tuple(ranges), negated)

    def _character(self, missing: str) -> int:
        """The code point of the next character, escaped or not."""
        c = self._next()
        if not c:
            raise self._error(missing)
        self._at += 1
        if c != "\\":
            return ord(c)
        escape = self._next()
        self._at += 1
        if escape in _ESCAPES:
            return ord(_ESCAPES[escape])
        digits = self._text[self._at : self._at + _HEX.get(escape, 0)]
        if not digits or len(digits) < _HEX[escape] or not all(d in "0123456789abcdefABCDEF" for d in digits):
            raise self._error(f"\\{escape} is no escape")
        self._at += len(digits)
        return int(digits, 16)

    def _name(self) -> str:
        begin = self._at
        while self._next() in _NAME:
            self._at += 1
        if begin == self._at:
            raise self._error("the name of a rule is missing")
        return self._text[begin : self._at]

    def _number(self) -> int:
        begin = self._at
        while self._next() in _DIGITS:
            self._at += 1
        if not 0 < self._at - begin < 10:
            raise self._error("a number is missing or too large")
        number = int(self._text[begin : self._at])
        self._skip()
        return number

    def _skip(self, *, newlines: bool = False) -> None:
        """Pass white space and comments."""
        space = " \t\r\n" if newlines else " \t"
        while (c := self._next()) and c in space + "#":
            self._at += 1
            if c == "#":
                while self._next() not in ("\n", "\r", ""):
                    self._at += 1

    def _next(self) -> str:
        """The character here, nothing at the end."""
        return self._text[self._at : self._at + 1]

    def _new_name(self, base: str) -> str:
        name = f"{base}_{len(self._names)}"
        self._names.add(name)
        return name

    def _add(self, name: str, *alternatives: Sequence) -> None:
        self._rules[name] = alternatives
        self._count(sum(map(len, alternatives)) + 1)

    def _count(self, symbols: int) -> None:
        self._symbols += symbols
        if self._symbols > MAX_SYMBOLS:
            raise self._error("with its repetitions written out the grammar is too large")

    def _error(self, what: str) -> UsageError:
        return UsageError(f"the grammar, line {self._text.count(chr(10), 0, self._at) + 1}: {what}")
