"""DBOS's log lines: through the process's own logging, errors only.

While the database is away it warns at every look into the queue, several times a second,
which would drown what the service itself says of it.
"""

import logging

LEVEL = "ERROR"

# What DBOS says when a turn has failed, which `Turns` has told already.
_TOLD = "Exception encountered in asynchronous workflow"


def route_logs() -> None:
    """Keep DBOS from writing to stderr by itself; call it before DBOS is made.

    DBOS adds a console handler of its own unless its logger has one.
    """
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.addFilter(_is_news)
    logger.propagate = True


def _is_news(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_TOLD)
