"""The live view and the questions of commands on a terminal."""

import signal
from collections.abc import Iterator

import pytest

from tests.integration.cli_process import Cli, cli_in, provider, service
from tests.integration.cli_terminal import ALTERNATE, CURSOR, NORMAL, on_terminal

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    folder = tmp_path_factory.mktemp("service")
    with provider(folder) as base_url:
        cli = cli_in(folder / "data", ANTHROPIC_API_KEY="test-key", ANTHROPIC_BASE_URL=base_url)
        with service(cli, "--port", "0"):
            yield cli


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_leaving_the_live_view_gives_the_terminal_back(cli: Cli, number: signal.Signals) -> None:
    job_id, _ = cli.created_and_waiting()
    with on_terminal(cli, "watch", job_id) as terminal:
        terminal.until(ALTERNATE)
        terminal.until("Your decision is needed")
        terminal.process.send_signal(number)
        assert terminal.ended() == 130
        rest = terminal.shown.rpartition(ALTERNATE)[2]
        assert rest.index(CURSOR) < len(rest)
        assert NORMAL in rest
        assert "Traceback" not in terminal.shown
        assert terminal.has_its_settings_back()


def test_a_decision_is_shown_and_asked_for(cli: Cli) -> None:
    job_id, escalation_id = cli.created_and_waiting()
    with on_terminal(cli, "resolve", escalation_id) as terminal:
        terminal.until("Option (1 blue, 2 red)")
        terminal.type("3\n")
        terminal.until("There is no option 3.")
        terminal.type("2\n")
        terminal.until("Guidance for the agent")
        terminal.type("A dark one.\n")
        terminal.until("Decided: ")
        terminal.until("Red")
        assert terminal.ended() == 0
    answered = cli("escalations", "--all", "--json").data["items"]
    assert isinstance(answered, list)
    assert answered[-1]["answer"]["guidance"] == "A dark one."
    assert cli("watch", job_id).code == 0


def test_cancelling_asks_first(cli: Cli) -> None:
    job_id, _ = cli.created_and_waiting()
    with on_terminal(cli, "cancel", job_id) as terminal:
        terminal.until("for good?")
        terminal.type("n\n")
        assert terminal.ended() == 1
    assert cli("status", job_id, "--json").data["state"] == "waiting_for_input"
    with on_terminal(cli, "cancel", job_id) as terminal:
        terminal.until("for good?")
        terminal.type("y\n")
        assert terminal.ended() == 0
    assert cli("status", job_id, "--json").data["state"] == "cancelled"


def test_run_watches_on_a_terminal_and_what_was_shown_stays(cli: Cli) -> None:
    with on_terminal(cli, "run", "A page.", "--until-idle") as terminal:
        assert terminal.ended() == 4
        left = terminal.shown.rpartition(NORMAL)[2]
        assert "Needs you" in left
        assert "Which colour shall the page have?" in left
