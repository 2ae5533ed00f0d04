"""`ctxchat doctor`: what works here, what does not, and the mend."""

from typing import Annotated

import typer

from ctxchat.cli.printing import print_json

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate", help="Measure for ten seconds what work costs, and with how many threads."
        ),
    ] = False,
) -> None:
    """Check this installation; exits 1 where something that matters fails."""
    from ctxchat.service.doctor import examine
    from ctxchat.service.wiring.checks import doctor_probes
    from ctxchat.settings.load import load_settings

    findings = list(examine(load_settings, doctor_probes, calibrate=calibrate))
    if json:
        shown = ("check", "ok", "seen", "mend")
        print_json([{key: getattr(finding, key) for key in shown} for finding in findings])
    else:
        width = max(len(finding.check) for finding in findings)
        for finding in findings:
            print(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.check:{width}}  {finding.seen}")
            if finding.mend:
                print(f"      {'':{width}}  mend: {finding.mend}")
    if any(finding.matters and not finding.ok for finding in findings):
        raise typer.Exit(1)
