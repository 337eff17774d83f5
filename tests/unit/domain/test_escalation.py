"""Answers to escalations: only what was offered, only once."""

from dataclasses import replace

import pytest

from cofounder.domain.errors import AlreadyResolvedError, Answer, ConflictError, InvalidInputError
from cofounder.domain.escalation import MAX_OPEN, Attempt, Escalation, Option, answer_text
from cofounder.domain.ids import EscalationId, JobId, SessionId
from tests.unit.domain.samples import NOON, OWNER

OPEN = Escalation(
    escalation_id=EscalationId("esc_1"),
    job_id=JobId("job_1"),
    session_id=SessionId("job_1"),
    owner_id=OWNER,
    cause="0123456789abcdef",
    problem="The payment page needs a Stripe key.",
    attempts=(Attempt(approach="Read it from the environment", result="not set", at=NOON),),
    options=(
        Option(id="provide", label="I set the key", description="Then go on.", reversible=True),
        Option(id="skip", label="Leave payments out", description="Later.", reversible=True),
    ),
    recommended="provide",
    created_at=NOON,
    answer=None,
)
ANSWER = Answer(decision="skip", guidance="Ship it", resolved_by="ada", resolved_at=NOON)


@pytest.mark.parametrize("decision", ["provide", "skip"])
def test_an_offered_option_is_accepted(decision: str) -> None:
    assert OPEN.is_open
    OPEN.check_answer(decision)


@pytest.mark.parametrize("decision", ["", "Skip", "skip ", "delete_everything"])
def test_an_option_that_was_never_offered_is_refused_and_the_offered_are_named(
    decision: str,
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        OPEN.check_answer(decision)
    assert caught.value.field == "decision"
    assert repr(decision) in caught.value.message
    assert caught.value.cure == "Choose one of: provide, skip."


@pytest.mark.parametrize("decision", ["provide", "skip", "delete_everything"])
def test_the_second_answer_is_told_who_when_and_what(decision: str) -> None:
    answered = replace(OPEN, answer=ANSWER)
    assert not answered.is_open
    with pytest.raises(AlreadyResolvedError) as caught:
        answered.check_answer(decision)
    assert isinstance(caught.value, ConflictError)
    assert caught.value.answer is ANSWER
    assert "ada" in caught.value.message
    assert "skip" in caught.value.message


def test_the_agent_reads_question_decision_and_guidance() -> None:
    assert answer_text(OPEN, ANSWER).splitlines() == [
        "The founder answered your question (esc_1).",
        "Question: The payment page needs a Stripe key.",
        "Decision: skip (Leave payments out)",
        "Guidance: Ship it",
        "Act on it now.",
    ]


@pytest.mark.parametrize("guidance", [None, ""])
def test_without_guidance_no_line_speaks_of_it(guidance: str | None) -> None:
    assert "Guidance" not in answer_text(OPEN, replace(ANSWER, guidance=guidance))


def test_a_decision_without_a_label_speaks_for_itself() -> None:
    text = answer_text(replace(OPEN, options=()), ANSWER)
    assert "Decision: skip (skip)" in text


def test_some_may_be_open_at_once() -> None:
    assert MAX_OPEN >= 1
