"""What the command line loads before it knows what to do."""

import json
import subprocess
import sys

HEAVY = {
    "alembic",
    "anthropic",
    "dbos",
    "fastapi",
    "genai_prices",
    "httpx2",
    "pydantic",
    "rich",
    "sqlalchemy",
    "structlog",
    "uvicorn",
}


def loaded_by(*arguments: str) -> set[str]:
    program = (
        "import json, sys\n"
        "from cofounder.cli import main\n"
        f"sys.argv = ['cofounder', *{arguments!r}]\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "sys.stderr.write(json.dumps(sorted(sys.modules)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    modules: list[str] = json.loads(run.stderr.splitlines()[-1])
    return set(modules)


def test_help_and_version_load_nothing_heavy() -> None:
    for arguments in (("--help",), ("--version",)):
        assert not HEAVY & loaded_by(*arguments)


def test_help_of_a_command_loads_what_typer_needs_and_nothing_of_the_service() -> None:
    assert not (HEAVY - {"pydantic"}) & loaded_by("run", "--help")
