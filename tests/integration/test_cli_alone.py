"""Commands that need no running service."""

import json
from pathlib import Path

import pytest

from cofounder import __version__
from cofounder.api.openapi import openapi_json
from tests.integration.cli_process import cli_in

pytestmark = pytest.mark.timeout(240)


def test_the_version_and_the_interface_are_printed(tmp_path: Path) -> None:
    cli = cli_in(tmp_path)
    assert cli("--version").out == f"cofounder {__version__}\n"
    assert cli("openapi").out == openapi_json()


def test_without_a_key_it_says_how_to_get_on(tmp_path: Path) -> None:
    refused = cli_in(tmp_path)("up", "--port", "0")
    assert refused.code == 1
    assert "ANTHROPIC_API_KEY is not set" in refused.err
    assert "cofounder demo" in refused.err


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    refused = cli_in(tmp_path, COFOUNDER_PORT="many")("jobs")
    assert refused.code == 1
    assert "COFOUNDER_PORT" in refused.err


def test_a_token_is_made_before_the_first_start(tmp_path: Path) -> None:
    cli = cli_in(tmp_path)
    first = cli("token")
    assert first.code == 0
    assert len(first.out.strip()) >= 32
    assert cli("token").out == first.out


def test_the_database_is_brought_up_to_date(tmp_path: Path) -> None:
    upgraded = cli_in(tmp_path)("db", "upgrade")
    assert upgraded.code == 0
    assert "up to date" in upgraded.out
    assert (tmp_path / "cofounder.db").exists()


def test_the_doctor_says_what_is_missing_and_how_to_mend_it(tmp_path: Path) -> None:
    cli = cli_in(tmp_path, COFOUNDER_PORT="0")
    found = cli("doctor", "--json")
    assert found.code == 1
    by_name = {item["name"]: item for item in json.loads(found.out)["items"]}
    assert by_name["model key"]["verdict"] == "failed"
    assert by_name["database"]["verdict"] == "ok"
    assert by_name["settings"]["verdict"] == "ok"
    shown = cli("doctor")
    assert "✗ failed" in shown.out
    assert "→" in shown.out


def test_the_doctor_is_content_with_a_key_and_never_shows_it(tmp_path: Path) -> None:
    healthy = cli_in(tmp_path, COFOUNDER_PORT="0", ANTHROPIC_API_KEY="a-secret-key")("doctor")
    assert healthy.code == 0, healthy.out
    assert "a-secret-key" not in healthy.out + healthy.err
