import pytest

pytest_plugins = ["tests.services.postgres", "tests.services.redis", "tests.services.store"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
