"""Commands that show something: jobs, one job, decisions."""

from rich.table import Table
from rich.text import Text

from cofounder.api.schemas.escalations import EscalationList
from cofounder.api.schemas.jobs import JobOut, JobPage, StatusOut
from cofounder.cli import forms
from cofounder.cli.client import Service, path_of
from cofounder.cli.connection import asked
from cofounder.cli.render import Frame, report
from cofounder.cli.sections import decision_lines
from cofounder.cli.terminal import err, out, print_json
from cofounder.cli.view_state import opened
from cofounder.cli.words import clean, look

_PAGE = 100


def show_jobs(form: forms.Jobs) -> None:
    """The jobs, newest first."""
    page = asked(form.data_dir, lambda service: _jobs(service, form.limit))
    if form.as_json:
        print_json(page.model_dump_json().encode())
        return
    jobs = page.items
    if not jobs:
        err().print("There are no jobs yet. Begin one: cofounder run IDEA")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("JOB", no_wrap=True)
    table.add_column("STATE", no_wrap=True)
    table.add_column("IDEA", no_wrap=True, overflow="ellipsis")
    for job in jobs:
        table.add_row(job.job_id, _state(job), Text(clean(job.idea_brief)))
    out().print(table)


async def _jobs(service: Service, limit: int) -> JobPage:
    """Up to `limit` jobs as one page."""
    items: list[JobOut] = []
    cursor: dict[str, str] = {}
    while True:
        wanted = min(_PAGE, limit - len(items))
        answer = await service.get(path_of("jobs"), limit=wanted, **cursor)
        page = JobPage.model_validate_json(answer)
        items.extend(page.items)
        if page.next_cursor is None or len(items) >= limit:
            return JobPage(items=items, next_cursor=page.next_cursor)
        cursor = {"cursor": page.next_cursor}


def _state(job: JobOut) -> Text:
    shown = look(job.state)
    return Text(f"{shown.symbol} {shown.word}", style=shown.style)


def show_status(form: forms.OneJob) -> None:
    """One job, as it is now."""
    path = path_of("jobs", form.job, "status")
    found = asked(form.data_dir, lambda service: service.get(path))
    if form.as_json:
        print_json(found)
        return
    status = StatusOut.model_validate_json(found)
    console = out()
    frame = Frame(now=status.server_time, width=console.width, height=console.height)
    console.print(report(opened(status, status.server_time), frame))


def show_escalations(form: forms.Escalations) -> None:
    """Open decisions, or all."""
    wanted = "false" if form.every else "true"
    found = asked(form.data_dir, lambda service: service.get(path_of("escalations"), open=wanted))
    if form.as_json:
        print_json(found)
        return
    decisions = EscalationList.model_validate_json(found).items
    if not decisions:
        err().print("Nothing waits for you.")
    console = out()
    for decision in decisions:
        console.print(*decision_lines(decision, console.width), Text(""), sep="\n")
