"""Where the service's log goes while it runs under a command."""

import logging
from typing import TextIO

import structlog


def log_to(file: TextIO) -> None:
    """Send every log line of this process, the libraries' warnings too, to `file`."""
    logging.basicConfig(
        stream=file, level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s", force=True
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(
                colors=file.isatty(),
                # Rich ones print every local variable, secrets too, and take seconds.
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ],
        logger_factory=structlog.PrintLoggerFactory(file),
        cache_logger_on_first_use=True,
    )
