"""A real Redis for the tests: one server a run, emptied for each test."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest
import redis

from tests.servers.ports import free_port


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server's address."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("Redis is missing: install redis-server or valkey-server.")
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    command += ["--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as server:
        try:
            _wait_until_ready(server)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


def _wait_until_ready(server: subprocess.Popen[bytes]) -> None:
    assert server.stdout is not None
    lines = []
    for line in server.stdout:
        lines.append(line.decode())
        if b"eady to accept connections" in line:
            return
    pytest.fail(f"Redis did not start: {''.join(lines)}")


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The address of a Redis without keys."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server
