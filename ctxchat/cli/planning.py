"""A prompt and its alternatives on stdout, as a table or as JSON."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, replace

from ctxchat.cli.answering import exit_code, question_of, request_of
from ctxchat.cli.failures import say
from ctxchat.cli.interrupts import cancelled_by_interrupt
from ctxchat.cli.options import AskFlags, check, overrides
from ctxchat.cli.receipt import Json, kv_json, predicted_json, prompt_json
from ctxchat.cli.tables import print_table
from ctxchat.context.alternatives import Alternative
from ctxchat.display import amounts
from ctxchat.display.steps import filtered
from ctxchat.domain.cancel import Cancel
from ctxchat.domain.events import Filtered, TurnFinished, Warned
from ctxchat.domain.prompt import Dropped, Prompt
from ctxchat.domain.receipt import Receipt
from ctxchat.service.json_text import json_text
from ctxchat.settings.load import load_settings

_HEADER = ("BUDGET", "KEYS", "TURNS", "NOTES", "TOTAL", "NEW", "PREFILL", "KV")
_FIELDS = ("budget", "type_k", "turns", "notes", "total", "evaluated", "prefill", "bytes")


def show_plan(flags: AskFlags) -> int:
    """Count the prompt, print the plan, and return the exit code `ask` would give. Raises
    CtxChatError where there is no prompt to count."""
    from ctxchat.service import wiring

    check(flags)
    settings = load_settings(overrides(flags), offline=flags.offline)
    question = question_of(flags, settings)
    request = replace(request_of(flags, settings, question), dry_run=True)
    for warning in question.warnings:
        say(warning)
    cancel, receipt = Cancel(), Receipt("", None)
    with cancelled_by_interrupt(cancel), closing(wiring.chat_service(settings)) as service:
        for event in service.ask(request, cancel):
            match event:
                case Warned(message):
                    say(message)
                case Filtered(steps) if steps:
                    say(filtered(steps))
                case TurnFinished():
                    receipt = event.receipt
                case _:
                    pass
        costing = service.costing(receipt)
    choices = costing.alternatives() if costing else ()
    if flags.json:
        sys.stdout.write(json_text(plan_json(receipt, choices), indent=2) + "\n")
    elif receipt.prompt:
        _print(receipt.prompt, choices)
    if receipt.error:
        say(receipt.error.message)
    return exit_code(receipt)


def plan_json(receipt: Receipt, choices: Sequence[Alternative]) -> Json:
    """The object of `plan --json`."""
    prompt = receipt.prompt
    return {
        "prompt": prompt_json(prompt, receipt.attention_pairs) if prompt else None,
        "kv": kv_json(receipt.kv) if receipt.kv else None,
        "predicted": predicted_json(receipt.predicted),
        "alternatives": [_choice_json(choice) for choice in choices],
    }


def _choice_json(choice: Alternative) -> Json:
    """An alternative, with its price where there are prices."""
    told: Json = {name: getattr(choice, name) for name in _FIELDS}
    return told | ({"cost": asdict(choice.cost)} if choice.cost else {})


def _print(prompt: Prompt, choices: Sequence[Alternative]) -> None:
    sections = ", ".join(f"{section} {tokens:,}" for section, tokens in prompt.sections.items() if tokens)
    total = amounts.estimate(prompt.total, exact=prompt.exact)
    print(f"{total} tokens of {prompt.usable:,} that may be used: {sections}\n")
    priced = any(choice.cost for choice in choices)
    rows = [(*_row(prompt, choice), *([amounts.money(choice.cost)] if priced else [])) for choice in choices]
    print_table((*_HEADER, "COST") if priced else _HEADER, rows)
    lines = [*_left_out(prompt.dropped, "now"), *_left_out_by_budget(choices)]
    if lines:
        print("", *lines, sep="\n")


def _row(prompt: Prompt, choice: Alternative) -> tuple[str, ...]:
    fits = "" if choice.total <= choice.budget else " (too many)"
    return (
        f"{choice.budget:,}",
        choice.type_k or amounts.DASH,
        f"{choice.turns} of {prompt.verbatim_turns}",
        f"{choice.notes:,}",
        f"{choice.total:,}{fits}",
        f"{choice.evaluated:,}",
        amounts.seconds(choice.prefill),
        amounts.size(choice.bytes),
    )


def _left_out_by_budget(choices: Sequence[Alternative]) -> Iterator[str]:
    for budget, choice in {choice.budget: choice for choice in choices}.items():
        yield from _left_out(choice.dropped, f"at {budget:,}")


def _left_out(dropped: Sequence[Dropped], when: str) -> Iterator[str]:
    for one in dropped:
        yield f"left out {when}: {one.section} {one.id}, {one.tokens:,} tokens: {one.reason}"
