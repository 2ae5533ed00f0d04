"""The page about families of models, made from the chat templates in llama.cpp's source.

`python -m tests.support.families` writes it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ctxchat.domain.conversation import Role
from ctxchat.domain.errors import ModelError
from ctxchat.engine.template.chat_template import JinjaTemplate
from tests.support.llama_source import templates

PAGE = Path(__file__).parents[2] / "docs/families.md"
AT = datetime(2026, 3, 9, tzinfo=UTC)
ABOUT = """# Families of models

What `ctxchat` finds out about the chat templates in llama.cpp's source, by rendering them. This
page is made by `python -m tests.support.families`, and a test compares it with what is found.

Reasoning is folded, counts as reasoning in every receipt, and ends by `--think-budget` in all of
these: *ends with* is what is then written for the model. *Earlier turns* says whether the template,
or what it writes before an earlier answer, leaves reasoning out of later prompts. `--think` and
`--no-think` work where there is a *switch*, under the name the template has for it; where there is
none, `--think-budget 0` ends reasoning at once. *Opens* says that the prompt ends inside reasoning
already.

| template | reasoning begins with | ends with | earlier turns | switch | opens |
|---|---|---|---|---|---|
"""
OTHERS = """
These do not reason, as far as their templates say:
"""
SHORTFALLS = """
What falls short: Kimi K3 closes its answer with texts of its own, which are shown. A template that only
mentions tags counts as one that reasons, which shows nowhere unless the model writes them. No model of
these families was run here: tags were checked on templates, and what is done with them on scripted and
on random models.
"""


def page() -> str:
    rows, others = [], []
    for path in templates():
        row = _row(path)
        rows.append(f"| {' | '.join(row)} |") if row else others.append(path.stem)
    return ABOUT + "\n".join(rows) + "\n" + OTHERS + ", ".join(others) + ".\n" + SHORTFALLS


def _row(path: Path) -> list[str] | None:
    template = JinjaTemplate(path.read_text(encoding="utf-8"), bos="<s>", eos="</s>")
    try:
        behaviour = template.behaviour
    except ModelError:
        return None
    tags = behaviour.reasoning
    if tags is None:
        return None
    opens = template.scaffold([Role.USER], at=AT, think=None).opens_reasoning
    switch = ", ".join(_names(template)) or "none"
    kept = "left out" if behaviour.strips_reasoning else "kept"
    return [path.stem, _code(tags.opening), _code(tags.ending), kept, switch, "yes" if opens else ""]


def _names(template: JinjaTemplate) -> Iterator[str]:
    if template.switch is not None:
        yield from (f"`{name}`" for name in template.switch.off)


def _code(text: str) -> str:
    written = text.replace("\n", "⏎").replace("|", "\\|")
    return f"`{written}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
