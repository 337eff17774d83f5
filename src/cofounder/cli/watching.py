"""Commands that watch: `watch`, and `run` after it has created the job."""

import sys

from cofounder.cli import acting, forms
from cofounder.cli.client import Service
from cofounder.cli.connection import data_dir_of
from cofounder.cli.errors import ExitCode
from cofounder.cli.foreground import in_foreground
from cofounder.cli.machine import this_machine
from cofounder.cli.screens import JsonScreen, LineScreen, LiveScreen, Screen
from cofounder.cli.terminal import out
from cofounder.cli.watch import Watch


def watch(form: forms.Watch) -> ExitCode:
    """Show a job until it ends."""
    return in_foreground(_watched(form, form.job, until_idle=form.until_idle))


def run(form: forms.Run) -> ExitCode:
    """Create a job, and watch it where that is wanted or somebody looks."""
    job = acting.create(form)
    wanted = form.watch if form.watch is not None else sys.stdout.isatty() and not form.as_json
    if not (wanted or form.until_idle):
        return ExitCode.OK
    return in_foreground(_watched(form, job.job_id, until_idle=form.until_idle))


async def _watched(form: forms.Reading, job_id: str, *, until_idle: bool) -> ExitCode:
    async with Service(data_dir_of(form.data_dir)) as service:
        watching = Watch(service, this_machine(), _screen(as_json=form.as_json))
        return await watching.follow(job_id, until_idle=until_idle)


def _screen(*, as_json: bool) -> Screen:
    if as_json:
        return JsonScreen()
    console = out()
    return LiveScreen(console) if console.is_terminal else LineScreen(console)
