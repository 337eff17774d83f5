"""Commands against a service that `cofounder up` runs."""

import json
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.integration.cli_process import PATIENCE_S, Cli, cli_in, provider, service

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    folder = tmp_path_factory.mktemp("service")
    with provider(folder) as base_url:
        cli = cli_in(folder / "data", ANTHROPIC_API_KEY="test-key", ANTHROPIC_BASE_URL=base_url)
        with service(cli, "--port", "0"):
            yield cli


def test_a_job_is_run_watched_decided_and_finished(cli: Cli) -> None:
    job_id, escalation_id = cli.created_and_waiting()

    shown = cli("escalations")
    assert shown.code == 0
    assert "Which colour shall the page have?" in shown.out
    assert f"cofounder resolve {escalation_id} blue" in shown.out

    decided = cli("resolve", escalation_id, "red", "--guidance", "A dark one.")
    assert (decided.code, decided.out.strip()) == (0, "✓ Decided: Red")

    watched = cli("watch", job_id)
    assert watched.code == 0
    lines = watched.out.splitlines()
    assert any(line.endswith("Z  I begin with the page.") for line in lines)
    assert any("Write index.html" in line for line in lines)
    assert "Completed · The page is built." in lines[-1]

    status = cli("status", job_id)
    assert "✓ Completed  A page." in status.out
    assert cli("status", job_id, "--json").data["state"] == "completed"


def test_a_decision_holds_once_it_was_made(cli: Cli) -> None:
    _, escalation_id = cli.created_and_waiting()
    assert cli("resolve", escalation_id, "blue").code == 0
    for again in (("red",), ()):
        late = cli("resolve", escalation_id, *again)
        assert late.code == 1
        assert "local" in late.err
        assert "blue" in late.err
        assert "UTC" in late.err or "Z:" in late.err


def test_without_a_terminal_nobody_is_asked_anything(cli: Cli) -> None:
    job_id, escalation_id = cli.created_and_waiting()
    missing = cli("resolve", escalation_id)
    assert missing.code == 2
    assert "Choose one of blue, red" in missing.err
    assert cli("resolve", escalation_id, "green").code == 2
    unsure = cli("cancel", job_id)
    assert unsure.code == 2
    assert "--yes" in unsure.err
    assert cli("cancel", job_id, "--yes").out.strip() == f"{job_id}  ⊘ Cancelled"
    assert cli("watch", job_id).code == 1


def test_a_pause_is_lifted_by_a_person(cli: Cli) -> None:
    job_id, _ = cli.created_and_waiting()
    assert "Paused" in cli("pause", job_id).out
    assert cli("watch", job_id, "--until-idle").code == 4
    refused = cli("wake", job_id)
    assert refused.code == 1
    assert refused.err.startswith("Error: ")
    assert cli("message", job_id, "Mind the margins.", "--json").code == 0
    assert "Queued" in cli("resume", job_id).out


def test_reads_are_json_on_request_and_nothing_else(cli: Cli) -> None:
    job_id = cli.create("A page with an \x1b[31mescape.")
    for command in (
        ("jobs",),
        ("status", job_id),
        ("escalations", "--all"),
        ("budget",),
    ):
        shown = cli(*command, "--json")
        assert shown.code == 0
        assert shown.err == ""
        assert isinstance(json.loads(shown.out), dict)
        assert "\x1b" not in shown.out + cli(*command).out


def test_json_events_are_one_a_line(cli: Cli) -> None:
    job_id = cli.create()
    watched = cli("watch", job_id, "--until-idle", "--json")
    assert watched.code == 4
    events = [json.loads(line) for line in watched.out.splitlines()]
    seqs = [event["seq"] for event in events]
    assert seqs == sorted(seqs)
    assert all(event["job_id"] == job_id for event in events)


def test_jobs_are_listed_newest_first_over_several_pages(cli: Cli) -> None:
    newest = [cli.create(f"Page {n}") for n in range(3)][::-1]
    listed = cli("jobs", "--limit", "2")
    assert newest[0] in listed.out
    assert newest[2] not in listed.out
    assert [job["job_id"] for job in json.loads(cli("jobs", "--json").out)["items"]][:3] == newest


def test_what_is_not_there_is_exit_code_3(cli: Cli) -> None:
    for command in (
        ("status", "job_none"),
        ("watch", "job_none"),
        ("pause", "job_none"),
        ("status", "../escalations"),
        ("resolve", "esc_none", "blue"),
    ):
        ended = cli(*command)
        assert ended.code == 3, command
        assert ended.err.startswith("Error: There is no")
        assert "Traceback" not in ended.err


def test_wrong_input_is_exit_code_2_and_names_the_field(cli: Cli, tmp_path: Path) -> None:
    no_json = tmp_path / "qna.json"
    no_json.write_text("{")
    wrong_shape = tmp_path / "shape.json"
    wrong_shape.write_text('[{"question": "Who?"}]')
    for command, field in (
        (("run", "  "), "idea_brief"),
        (("run", "x", "--model", "gpt-0"), "model"),
        (("run", "x", "--qna", str(no_json)), "--qna"),
        (("run", "x", "--qna", str(wrong_shape)), "understanding_qna.0.answer"),
        (("run", "x", "--qna", str(tmp_path / "none.json")), "--qna"),
        (("run", "x", "--max-tool-calls", "0"), "--max-tool-calls"),
        (("run", "x", "--max-tool-calls", "1000000"), "max_tool_calls"),
        (("top-up", "five"), "AMOUNT_USD"),
        (("top-up", "nan"), "AMOUNT_USD"),
        (("budget", "--time-zone", "Mars/Base"), "time_zone"),
        (("jobs", "--limit", "0"), "--limit"),
        (("dance",), "dance"),
    ):
        ended = cli(*command)
        assert ended.code == 2, command
        assert field in ended.err
        assert "Traceback" not in ended.err


def test_money_is_topped_up_and_the_plan_changed(cli: Cli) -> None:
    before = cli("budget", "--json").data["today"]
    assert isinstance(before, dict)
    for _ in range(2):
        topped_up = cli("top-up", "2.50", "--idempotency-key", "once", "--json")
        assert topped_up.code == 0
        after = topped_up.data["today"]
        assert isinstance(after, dict)
        gained = Decimal(int(str(after["limit_usd_micros"])))
        assert gained - int(str(before["limit_usd_micros"])) == 2_500_000
    plan = cli("budget", "--cycle-usd", "90", "--renewal-day", "15", "--json").data["plan"]
    assert plan == {"cycle_amount_usd_micros": 90_000_000, "renewal_day": 15, "time_zone": "UTC"}
    assert "renews on day 15 of the month" in cli("budget").out


def test_qna_and_plan_come_from_files(cli: Cli, tmp_path: Path) -> None:
    qna, plan = tmp_path / "qna.json", tmp_path / "plan.json"
    qna.write_text('{"Who?": "My friends."}')
    plan.write_text('{"summary": "Short.", "phases": [{"name": "Page"}]}')
    job = cli("run", "A page.", "--qna", str(qna), "--plan", str(plan), "--json").data
    assert job["understanding_qna"] == [{"question": "Who?", "answer": "My friends."}]
    text = tmp_path / "plan.md"
    text.write_text("First this, then that.")
    planned = cli("run", "A page.", "--plan", str(text), "--json").data["build_plan"]
    assert planned == {"summary": "First this, then that.", "phases": []}


def test_the_token_is_the_services_own(cli: Cli) -> None:
    assert cli("token").out == (cli.data_dir / "token").read_text()


def test_a_second_service_is_refused(cli: Cli) -> None:
    refused = cli("up", "--port", "0")
    assert refused.code == 1
    assert "Another service is running in" in refused.err


def test_it_stops_on_request_and_says_goodbye(tmp_path: Path) -> None:
    with provider(tmp_path) as base_url:
        cli = cli_in(tmp_path / "d", ANTHROPIC_API_KEY="test-key", ANTHROPIC_BASE_URL=base_url)
        with service(cli, "--port", "0") as process:
            assert (cli.data_dir / "service.json").exists()
            process.send_signal(signal.SIGTERM)
            told, _ = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 0
            assert "Stopping after the running step" in told
        gone = cli("jobs")
        assert gone.code == 1
        assert f"No service is running for {cli.data_dir}." in gone.err
        assert "cofounder up" in gone.err


def test_a_second_request_stops_it_in_the_middle_of_a_step(tmp_path: Path) -> None:
    with provider(tmp_path) as base_url:
        cli = cli_in(tmp_path / "d", ANTHROPIC_API_KEY="test-key", ANTHROPIC_BASE_URL=base_url)
        with service(cli, "--port", "0") as process:
            job_id = cli.create("A page that takes long.")
            while cli("status", job_id, "--json").data["state"] != "working":
                pass
            process.send_signal(signal.SIGTERM)
            assert process.stdout is not None
            assert "Stopping after the running step" in process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 130


def test_a_service_that_was_killed_is_told_from_one_that_was_stopped(tmp_path: Path) -> None:
    with provider(tmp_path) as base_url:
        cli = cli_in(tmp_path / "d", ANTHROPIC_API_KEY="test-key", ANTHROPIC_BASE_URL=base_url)
        with service(cli, "--port", "0") as process:
            process.kill()
            process.wait(PATIENCE_S)
        gone = cli("jobs")
        assert gone.code == 1
        assert "No service answers at http://127.0.0.1:" in gone.err
