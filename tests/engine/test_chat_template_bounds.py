"""A chat template is somebody else's program: it gets no way out, no time and no memory."""

import sys
import threading
import tracemalloc
from datetime import UTC, datetime
from types import FrameType

import pytest

from ctxchat.domain.errors import ModelError
from ctxchat.engine.template.chat_template import JinjaTemplate

NOW = datetime(2026, 3, 9, tzinfo=UTC)
DOUBLED = "{{% set ns = namespace(x={first}) %}}{{% for i in range(60) %}}{step}{{% endfor %}}{{{{ ns.x }}}}"


def doubling(first: str, step: str) -> str:
    """A template that doubles a value sixty times."""
    return DOUBLED.format(first=first, step=step)


ENDLESS = {
    "loops in loops": "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
    "a macro that calls itself twice": (
        "{% macro f(n) %}{% if n < 60 %}{{ f(n + 1) }}{{ f(n + 1) }}{% endif %}{% endmacro %}{{ f(0) }}"
    ),
    "a long filter in a loop": (
        "{% for i in range(100000) %}{{ range(100000) | list | sort | first }}{% endfor %}"
    ),
}
TOO_LARGE = {
    "a repeated text": "{{ 'x' * 10**9 }}",
    "a repeated list": "{{ [1] * 10**9 }}",
    "a tower of powers": "{{ 10**(10**10) }}",
    "squares": doubling("3", "{% set ns.x = ns.x * ns.x %}"),
    "sums": doubling("'ab'", "{% set ns.x = ns.x + ns.x %}"),
    "joined texts": doubling("'ab'", "{% set ns.x = ns.x ~ ns.x %}"),
    "captured texts": doubling("'ab'", "{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = y %}"),
    "nested lists": doubling("[1]", "{% set ns.x = [ns.x, ns.x, 'x' * 1000] %}"),
    "nested pairs": doubling("[1]", "{% set ns.x = (ns.x, ns.x, 'x' * 1000) %}"),
    "nested mappings": doubling("[1]", "{% set ns.x = {'a': ns.x, 'b': ns.x, 'c': 'x' * 1000} %}"),
    "a filter join": "{{ range(1000) | join('x' * 10000) }}",
    "a method join": "{{ 'x'.join(['y' * 100000] * 100) }}",
    "a filter replace": "{{ ('a' * 1000) | replace('a', 'b' * 100000) }}",
    "a method replace": "{{ ('a' * 1000).replace('a', 'b' * 100000) }}",
    "a wide number": "{{ '%1000000000d' % 1 }}",
    "a wide field": "{{ '{:1000000000}'.format(1) }}",
    "a field as wide as told": "{{ '{:{}}'.format(1, 10**9) }}",
    "many fields": "{{ ('{0}' * 1000).format('x' * 100000) }}",
    "an indentation": "{{ 'a\nb' | indent(10**9) }}",
    "an indentation of JSON": "{{ [1] | tojson(indent=10**9) }}",
    "long output": "{% for i in range(100000) %}{{ 'x' * 1000 }}{% endfor %}",
    "many long texts": (
        "{% set y %}{% for i in range(100000) %}{{ ('x' * 900000) | upper }}{% endfor %}{% endset %}"
    ),
}
FORBIDDEN = {
    "a class": "{{ ''.__class__.__mro__ }}",
    "globals": "{{ cycler.__init__.__globals__ }}",
    "an attribute by its name": "{{ (messages | attr('__class__')).mro() }}",
    "a method that widens": "{{ 'x'.ljust(10**9) }}",
    "a method of numbers": "{{ (1).to_bytes(10**9, 'big') }}",
    "a filter that widens": "{{ 'x' | center(10**9) }}",
    "a change of the messages": "{{ messages.append(1) }}",
    "a long range": "{{ range(10**9) | list }}",
    "another file": "{% include '/etc/passwd' %}",
    "endless depth": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a deep expression": "{{ " + "(" * 3000 + ")" * 3000 + " }}",
}


def render(source: str) -> str:
    template = JinjaTemplate(source, bos="", eos="")
    return template.render([{"role": "user", "content": "hello"}], at=NOW, think=None, answer=True)


@pytest.mark.parametrize("source", ENDLESS.values(), ids=ENDLESS.keys())
def test_a_template_without_end_is_stopped(source: str) -> None:
    """By its time, or on a fast machine by what it has built until then."""
    before = sys.gettrace()
    with pytest.raises(ModelError, match=r"did not finish in time|builds a value without end"):
        render(source)
    assert sys.gettrace() is before


@pytest.mark.parametrize("source", TOO_LARGE.values(), ids=TOO_LARGE.keys())
def test_a_template_that_grows_is_stopped_before_it_has_grown(source: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match="it builds a value without end"):
            render(source)
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("source", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_there_is_no_way_out(source: str) -> None:
    with pytest.raises(ModelError, match=r"^the chat template refuses: .") as caught:
        render(source)
    assert "\n" not in str(caught.value)


def test_what_templates_do_is_let_through() -> None:
    source = (
        "{{ ['a', 'b'] | map('upper') | join('-') }} {{ 'x' * 3 }} {{ 'a{}c'.format('b') }} {{ '%s%%' % 7 }}"
        " {{ 'aXb'.split('X') | last }} {{ dict(k=2).items() | list }} {{ 2**10 % 7 }} {{ 'a' ~ 1 ~ none }}"
        " {{ 'a\nb' | indent(2) }} {{ [3, 1] | sort | tojson }}"
        " {% for a, b in [(1, 2)] %}{{ a + b }}{% endfor %}"
        " {{ messages[-1]['content'].replace('l', 'L') | default('') | trim }}"
    )
    assert render(source) == "A-B xxx abc 7% b [('k', 2)] 2 a1None a\n  b [1, 3] 3 heLLo"


def test_a_trace_function_is_put_back() -> None:
    seen = []

    def trace(_frame: FrameType, event: str, _argument: object) -> None:
        seen.append(event)

    def in_a_thread() -> None:
        sys.settrace(trace)
        try:
            with pytest.raises(ModelError):
                render("{{ 1 / 0 }}")
            found.append(sys.gettrace())
        finally:
            sys.settrace(None)

    found: list[object] = []
    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
    assert found == [trace]
    assert sys.gettrace() is not trace
