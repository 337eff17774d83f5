"""Looking at this machine, and bringing the database up to date."""

import asyncio
import json
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from cofounder.bootstrap.service import migrate, redacted
from cofounder.bootstrap.survey import Finding, Verdict, survey
from cofounder.cli import forms
from cofounder.cli.errors import ExitCode
from cofounder.cli.terminal import err, out, print_json
from cofounder.cli.words import clean, count
from cofounder.settings import load_settings

_LOOKS = {
    Verdict.OK: Text("✓ ok", style="green"),
    Verdict.WARNING: Text("▲ warning", style="yellow"),
    Verdict.FAILED: Text("✗ failed", style="bold red"),
}


def doctor(form: forms.Reading) -> ExitCode:
    """Show what works and what does not, with the cure; fails when something failed."""
    settings = load_settings(data_dir=form.data_dir)
    settings_hold = Finding(name="settings", verdict=Verdict.OK, detail="all of them are valid")
    findings = [settings_hold, *asyncio.run(survey(settings))]
    if form.as_json:
        print_json(_as_json(findings))
    else:
        _show(findings)
    failed = any(finding.verdict is Verdict.FAILED for finding in findings)
    return ExitCode.FAILURE if failed else ExitCode.OK


def _show(findings: Sequence[Finding]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for finding in findings:
        detail = Text(clean(finding.detail))
        if finding.cure:
            detail.append(f"\n→ {clean(finding.cure)}", style="cyan")
        table.add_row(_LOOKS[finding.verdict], Text(finding.name, style="bold"), detail)
    out().print(table)
    failed = sum(finding.verdict is Verdict.FAILED for finding in findings)
    if failed:
        err().print(f"{count(failed, 'thing')} must be mended before the service can run.")


def _as_json(findings: Sequence[Finding]) -> bytes:
    items = [
        {
            "name": finding.name,
            "verdict": finding.verdict.value,
            "detail": finding.detail,
            "cure": finding.cure,
        }
        for finding in findings
    ]
    return json.dumps({"items": items}).encode()


def upgrade(form: forms.Where) -> None:
    """Bring the database up to date."""
    settings = load_settings(data_dir=form.data_dir)
    asyncio.run(migrate(settings))
    out().print(f"The database is up to date: {redacted(settings.sql_url)}", soft_wrap=True)
