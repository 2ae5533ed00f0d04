"""The Jinja environment chat templates run in: no way out of it, and no way to fill the memory.

A template comes with a model file, so it is somebody else's program. Jinja's sandbox keeps it from
the interpreter; what is added here bounds every value it can build. Time is bounded in
`deadline.py`. Jinja is imported here and nowhere else: import this module inside a function.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import Template, TemplateError, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension
from jinja2.filters import FILTERS
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ctxchat.engine.template import bounds
from ctxchat.engine.template.deadline import TEMPLATE_FILE

_TEXT_METHODS = frozenset(
    {"count", "endswith", "find", "index", "startswith", "join", "format", "replace", "rfind", "rindex"}
    | {"isalnum", "isalpha", "isdecimal", "isdigit", "islower", "isnumeric", "isspace", "istitle", "isupper"}
    | {"capitalize", "lower", "swapcase", "title", "upper", "removeprefix", "removesuffix"}
    | {"strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "partition", "rpartition"}
)
_FILTERS = frozenset(
    {"abs", "float", "int", "round", "count", "length", "wordcount", "max", "min"}
    | {"attr", "d", "default", "dictsort", "groupby", "items", "map", "sort", "unique", "reverse"}
    | {"first", "last", "reject", "rejectattr", "select", "selectattr"}
    | {"capitalize", "e", "escape", "lower", "safe", "string", "title", "trim", "upper"}
)


class _Generator(CodeGenerator):
    """Has every text and list that a template builds weighed."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:  # noqa: N802
        self._weighed(super().visit_Filter, node, frame)

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802
        self._weighed(super().visit_List, node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802
        self._weighed(super().visit_Dict, node, frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802
        if node.ctx == "store":
            super().visit_Tuple(node, frame)
        else:
            self._weighed(super().visit_Tuple, node, frame)

    def _weighed(self, visit: Callable[..., None], node: nodes.Node, frame: Frame) -> None:
        self.write("environment.weighed(")
        visit(node, frame)
        self.write(")")


class _Generation(Extension):
    """`{% generation %}` marks what a model is trained on; here its body is all there is to it."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Sandbox(ImmutableSandboxedEnvironment):
    code_generator_class = _Generator
    intercepted_binops = frozenset({"+", "*", "**", "%"})
    left = bounds.TOTAL

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, str):
            return attr in _TEXT_METHODS
        if isinstance(obj, int | float):
            return False
        return super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        bounds.check_operation(operator, left, right)
        return self.weighed(super().call_binop(context, operator, left, right))

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        receiver = getattr(getattr(obj, "__wrapped__", obj), "__self__", None)
        if isinstance(receiver, str):
            bounds.check_method(receiver, obj.__name__, (*args, *kwargs.values()))
        return self.weighed(super().call(context, obj, *args, **kwargs))

    def call_filter(self, name: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        return self.weighed(super().call_filter(name, value, *args, **kwargs))

    def weighed(self, value: Any) -> Any:
        """The value, if it is within its own limit and all of the rendering within its."""
        self.left -= bounds.weigh(value)
        if self.left < 0:
            raise bounds.TooLargeError
        return value

    def joined(self, parts: Iterable[Any]) -> str:
        return self.concat(map(str, parts))

    def concat(self, parts: Iterable[str]) -> str:
        return str(self.weighed("".join(bounds.gathered(parts))))


class SandboxedTemplate:
    """A compiled chat template. Both methods raise what Jinja raises, and TooLargeError."""

    def __init__(self, source: str) -> None:
        self._environment = _Sandbox(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _Generation]
        )
        self._environment.filters = {name: FILTERS[name] for name in _FILTERS} | {
            "from_json": json.loads,
            "indent": _indent,
            "join": _join,
            "list": _list,
            "replace": _replace,
            "tojson": _to_json,
        }
        self._environment.globals.pop("lipsum")
        self._environment.globals["raise_exception"] = _raise
        code = self._environment.compile(source, filename=TEMPLATE_FILE)
        self._template = Template.from_code(self._environment, code, self._environment.globals)

    def render(self, variables: Mapping[str, object]) -> str:
        self._environment.left = bounds.TOTAL
        return self._template.render(variables)


def _raise(message: str) -> None:
    raise TemplateError(message)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """JSON as templates expect it: characters stay as they are, nothing is escaped for HTML."""
    bounds.check_width(indent)
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def _list(values: Iterable[Any]) -> list[Any]:
    return bounds.gathered(values)


def _join(values: Iterable[Any], separator: str = "", attribute: str | None = None) -> str:
    parts = values if attribute is None else (value[attribute] for value in values)
    texts = bounds.gathered(map(str, parts))
    bounds.check_method(separator, "join", (texts,))
    return separator.join(texts)


def _replace(text: Any, old: str, new: str, count: int = -1) -> str:
    whole = str(text)
    bounds.check_method(whole, "replace", (old, new))
    return whole.replace(str(old), str(new), count)


def _indent(text: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    bounds.check_width(width)
    return str(FILTERS["indent"](str(text), width, first, blank))
