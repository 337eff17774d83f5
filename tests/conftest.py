import pytest

pytest_plugins = ["tests.servers.postgres", "tests.servers.redis", "tests.servers.store"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
