from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.integration.api_service import ApiService, Setup, api_service


@pytest.fixture
async def api(sqlite_store_url: str) -> AsyncIterator[ApiService]:
    """The service over HTTP, with two owners."""
    async with api_service(sqlite_store_url, Setup()) as service:
        yield service


@pytest.fixture
async def ada(api: ApiService) -> httpx2.AsyncClient:
    """One owner's client."""
    return api.client("token-ada")


@pytest.fixture
async def bob(api: ApiService) -> httpx2.AsyncClient:
    """Another owner's client."""
    return api.client("token-bob")
