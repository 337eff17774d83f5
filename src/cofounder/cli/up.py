"""Running the service in the foreground."""

import asyncio
import os
import sys
from collections.abc import Callable

from rich.text import Text

from cofounder.bootstrap.service import Running, redacted, running
from cofounder.cli import forms
from cofounder.cli.errors import ExitCode
from cofounder.cli.foreground import on_signals
from cofounder.cli.logs import log_to
from cofounder.cli.terminal import err, out
from cofounder.settings import Settings, load_settings


def up(form: forms.Up) -> None:
    """Run until a signal. Raises `ConfigurationError` when it cannot run like this."""
    settings = load_settings(
        data_dir=form.data_dir, host=form.host, port=form.port, model=form.model
    )
    log_to(sys.stderr)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    async with running(settings) as live:
        on_signals(_stopper(live))
        _announce(live, settings)
        await live.wait_stopped()


def _stopper(live: Running) -> Callable[[], None]:
    asked = False

    def ask() -> None:
        nonlocal asked
        if asked:
            err().print("Stopping at once; what was running goes on at the next start.")
            # Nothing durable is lost by this: a start after it is a start after a crash.
            os._exit(ExitCode.INTERRUPTED)
        asked = True
        err().print("Stopping after the running step (again: at once).")
        live.request_stop()

    return ask


def _announce(live: Running, settings: Settings) -> None:
    facts = (
        ("Listening", live.url),
        ("Data", str(live.data_dir.root)),
        ("Database", redacted(settings.sql_url)),
        ("Redis", _redis(live, settings)),
        ("Sandbox", live.isolation),
        ("Model", settings.model),
    )
    console = out()
    console.print(Text("● Cofounder is up", style="bold green"))
    for name, value in facts:
        console.print(Text.assemble((f"  {name:10}", "bold"), value), soft_wrap=True)
    console.print("Begin a job from another terminal: cofounder run IDEA")
    console.print("Ctrl+C stops it; jobs go on at the next start.")
    if live.redis is False and settings.redis_url is not None:
        err().print(
            "Warning: Redis does not answer. The service works without it: cofounder doctor"
        )


def _redis(live: Running, settings: Settings) -> str:
    if settings.redis_url is None:
        return "not used"
    return redacted(settings.redis_url) if live.redis else "does not answer"
