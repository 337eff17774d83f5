"""From a command's options to the running service."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from cofounder.cli.client import Service
from cofounder.settings import load_settings

Answer = TypeVar("Answer")


def data_dir_of(flag: Path | None) -> Path:
    """The data directory that flag, environment and defaults lead to, as an absolute path."""
    return load_settings(data_dir=flag).data_dir.expanduser().absolute()


def asked(data_dir: Path | None, work: Callable[[Service], Awaitable[Answer]]) -> Answer:
    """Connect to the service, do the work, and return what it returns."""

    async def connected() -> Answer:
        async with Service(data_dir_of(data_dir)) as service:
            return await work(service)

    return asyncio.run(connected())


def token_of(flag: Path | None) -> str:
    """The token of this data directory, made when there is none yet."""
    file = data_dir_of(flag) / "token"
    if file.exists():
        return file.read_text(encoding="utf-8").strip()
    # Imported here to keep the usual way fast.
    from cofounder.bootstrap.service import local_token

    return local_token(load_settings(data_dir=flag))
