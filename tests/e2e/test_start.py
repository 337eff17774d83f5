"""Starting with what is wrong, and with what may be missing."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from cofounder.api.server import bind
from cofounder.bootstrap.service import running
from cofounder.domain.errors import CofounderError
from cofounder.settings import isolated_settings
from cofounder.testing.provider import Turn
from tests.e2e.harness import house
from tests.servers.ports import free_port

pytestmark = pytest.mark.anyio
KEY = SecretStr("test-key")


async def _refused(**fields: object) -> CofounderError:
    with pytest.raises(CofounderError) as caught:
        async with running(isolated_settings(**{"port": 0, **fields})):
            raise AssertionError("it should not have started")
    assert caught.value.cure
    return caught.value


async def test_an_unreachable_redis_is_no_reason_to_stop(tmp_path: Path) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    async with house(tmp_path, [Turn(say="Done."), Turn(say="Done.")], redis_url=nowhere) as home:
        assert home.running.redis is False
        job_id = await home.founder.create()
        status = await home.founder.until_state(job_id, "completed")
        assert status["budget_pct"] == 0


async def test_without_a_key_the_demo_is_named(tmp_path: Path) -> None:
    error = await _refused(data_dir=tmp_path)
    assert "ANTHROPIC_API_KEY" in error.message
    assert "cofounder demo" in error.cure


async def test_a_model_without_a_price_is_refused_with_the_way_to_name_one(tmp_path: Path) -> None:
    error = await _refused(data_dir=tmp_path, model="no-such-model", ANTHROPIC_API_KEY=KEY)
    assert "no-such-model" in error.message
    assert "prices" in error.cure


async def test_a_data_directory_that_cannot_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    error = await _refused(data_dir=blocked, ANTHROPIC_API_KEY=KEY)
    assert str(blocked) in error.message


@pytest.mark.parametrize(
    "url", ["mysql://host/db", "nonsense", "postgresql://nobody:secret@127.0.0.1:1/none"]
)
async def test_a_broken_database_url_names_the_setting_and_no_password(
    tmp_path: Path, url: str
) -> None:
    error = await _refused(data_dir=tmp_path, database_url=url, ANTHROPIC_API_KEY=KEY)
    assert "COFOUNDER_DATABASE_URL" in error.message + error.cure
    assert "secret" not in error.message + error.cure


async def test_a_port_in_use(tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        error = await _refused(data_dir=tmp_path, port=port, ANTHROPIC_API_KEY=KEY)
    assert str(port) in error.message
    assert "--port" in error.cure


async def test_one_service_a_data_directory(tmp_path: Path) -> None:
    async with house(tmp_path, [Turn(say="Done.")]):
        error = await _refused(data_dir=tmp_path, ANTHROPIC_API_KEY=KEY)
    assert "Another service" in error.message
