"""The data directory: who holds it, and what the command line finds in it."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from cofounder.domain.errors import ConfigurationError


class DataDir:
    """One folder a service: database, workspaces, token, and the address while it runs."""

    def __init__(self, root: Path) -> None:
        """`prepare` has to be called before anything is kept in it."""
        self.root = root.expanduser().absolute()

    @property
    def workspaces(self) -> Path:
        """The folder that holds one workspace per job."""
        return self.root / "workspaces"

    @property
    def token_file(self) -> Path:
        """The local token."""
        return self.root / "token"

    @property
    def service_file(self) -> Path:
        """Where the running service says how it is reached."""
        return self.root / "service.json"

    def prepare(self) -> None:
        """Make the folder. Raises `ConfigurationError` when it cannot be written."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = self.root / f".probe-{uuid4().hex}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise ConfigurationError(
                f"The data directory {self.root} cannot be written: {error.strerror}.",
                cure="Set COFOUNDER_DATA_DIR or --data-dir to a folder of yours.",
            ) from error

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for one service; `ConfigurationError` when another one has it."""
        with (self.root / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ConfigurationError(
                    f"Another service is running in {self.root}.",
                    cure="Use that one, or give this one its own --data-dir.",
                ) from error
            yield

    def is_held(self) -> bool:
        """Whether a service runs in it, whatever one that was killed has left behind."""
        try:
            with (self.root / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            # No service has ever been here, or none of ours could.
            return False
        return False

    def executor_id(self) -> str:
        """This service's name in the durable queue, the same after every start."""
        file = self.root / "executor_id"
        known = file.read_text().strip() if file.exists() else ""
        if not known:
            # Also where a full disk left an empty file: a name must not be another's too.
            known = uuid4().hex
            _replace(file, known)
        return known

    @contextmanager
    def announced(self, url: str) -> Iterator[None]:
        """Tell the command line how the service is reached, as long as it runs."""
        _replace(self.service_file, json.dumps({"url": url, "pid": os.getpid()}))
        try:
            yield
        finally:
            self.service_file.unlink(missing_ok=True)


def _replace(file: Path, text: str) -> None:
    """All of it or nothing."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(file)
