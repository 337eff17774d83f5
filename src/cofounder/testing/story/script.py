"""How it is built, turn by turn: what the scripted model says at each point of the story.

The script looks at the conversation only, never at a counter of its own, so that a call
that is made again after a crash or a failure gets the same reply again.
"""

from collections.abc import Sequence

from cofounder.domain.jobs import BuildPlan, PlannedPhase, QuestionAndAnswer
from cofounder.domain.transcript import Message, Role
from cofounder.testing.provider import Overloaded529, RequestView, Script, ToolCall, Turn
from cofounder.testing.story import project

IDEA = (
    "A tiny web page that splits a restaurant bill among friends, tip included, so that the "
    "shares add up to the cent. I want to trust the numbers."
)
QNA = (
    QuestionAndAnswer(question="Who will use it?", answer="My friends, on their phones."),
    QuestionAndAnswer(question="Which currency?", answer="Euros."),
)
PLAN = BuildPlan(
    summary="The arithmetic first, with tests; then the page; then look at it.",
    phases=(
        PlannedPhase(name="Plan", description="Say what will be built."),
        PlannedPhase(name="Arithmetic", description="Shares that add up, with tests."),
        PlannedPhase(name="Page", description="One HTML page without any server."),
        PlannedPhase(name="Check", description="Run everything, look at the page, report."),
    ),
)

_ANSWERED = "The founder answered your question"
_WIND_DOWN = "of today's budget is used"
_AWAKE = "[You slept and are awake again"
_RUN_TESTS = ToolCall("bash", {"command": "python3 -m unittest 2>&1", "goal": "the tests pass"})

# Long reasoning is what uses up the demo's small allowance, as it would a real one.
_REASONING = (
    "The shares must add up, so I follow the odd cents through every case: one person, as "
    "many people as cents, a tip that ends in half a cent, a bill of nothing at all. "
)


def story() -> Script:
    """The whole demo."""
    return Script(default=_next)


def _next(view: RequestView) -> Turn:
    parts = _since(view.messages, _AWAKE), _since(view.messages, _ANSWERED)
    if parts[0] is not None:
        return _nth(_MORNING, parts[0])
    if parts[1] is None:
        return _nth(_FIRST_DAY, view.assistant_count)
    wound_down = _since(view.messages, _WIND_DOWN)
    if wound_down is not None:
        return _nth(_EVENING, wound_down)
    answer = _apply_answer(payer="Decision: payer" in _text(view.messages))
    return _nth(answer, parts[1]) if parts[1] < len(answer) else _ponder(parts[1])


def _nth(turns: Sequence[Turn], index: int) -> Turn:
    return turns[min(index, len(turns) - 1)]


def _text(messages: Sequence[Message]) -> str:
    return "\n".join(m.text for m in messages if m.role is Role.USER)


def _since(messages: Sequence[Message], marker: str) -> int | None:
    """How many replies there are since the user message with that text; None without one."""
    for index, message in enumerate(messages):
        if message.role is Role.USER and marker in message.text:
            return sum(later.role is Role.ASSISTANT for later in messages[index:])
    return None


def _tell(text: str, phase: str | None = None) -> ToolCall:
    return ToolCall("narrate", {"text": text, **({"phase_name": phase} if phase else {})})


def _write(path: str, content: str) -> ToolCall:
    return ToolCall("write_file", {"path": path, "content": content})


def _edit(path: str, old: str, new: str) -> ToolCall:
    return ToolCall("edit_file", {"path": path, "old": old, "new": new})


_QUESTION = ToolCall(
    "ask_founder",
    {
        "problem": "100.00 € among three leaves one cent over. Who pays the odd cents?",
        "tried": [
            {
                "approach": "Rounding each share down",
                "result": "The restaurant gets 99.99 €; the tests fail.",
            },
            {
                "approach": "Giving the odd cents to the first ones",
                "result": "It adds up, but the same people always pay more.",
            },
        ],
        "options": [
            {
                "id": "first",
                "label": "The first ones",
                "description": "Simple, nothing to fill in; always the same people.",
                "reversible": True,
            },
            {
                "id": "payer",
                "label": "Whoever paid the bill",
                "description": "Feels fair; one more thing to choose.",
                "reversible": True,
            },
        ],
        "recommended": "payer",
    },
)

_FIRST_DAY = (
    Turn(
        think="A small thing that has to be right: arithmetic first, tests, then the page.",
        tools=(
            _tell("I begin with a short plan.", "Plan"),
            ToolCall("document", {"name": "plan", "content": PLAN.summary}),
        ),
        delay_s=0.6,
    ),
    Turn(
        tools=(
            _tell("Now the arithmetic, with tests from the start.", "Arithmetic"),
            _write(project.MODULE, project.DRAFT),
            _write(project.TESTS, project.TEST_CODE),
        ),
        delay_s=0.8,
    ),
    Turn(tools=(_RUN_TESTS,), delay_s=0.5, faults=(Overloaded529(),)),
    Turn(
        say="The split loses cents. I hand the odd ones out instead of dropping them.",
        tools=(_edit(project.MODULE, project.BROKEN_LINE, project.MENDED_LINES), _RUN_TESTS),
        delay_s=0.8,
    ),
    Turn(
        tools=(_QUESTION, _tell("I asked who pays the odd cents. Meanwhile, the page.", "Page")),
        delay_s=0.6,
    ),
    Turn(tools=(_write(project.PAGE, project.HTML),), delay_s=0.8),
    Turn(say="The page stands. The rest depends on your answer.", delay_s=0.4),
)


def _apply_answer(*, payer: bool) -> tuple[Turn, ...]:
    edits = (
        (
            _edit(project.MODULE, project.MENDED_LINES, project.PAYER_LINES),
            _edit(project.MODULE, "tip_pct: int = 0)", "tip_pct: int = 0, payer: int = 0)"),
        )
        if payer
        else ()
    )
    tests = project.PAYER_TEST if payer else project.FIRST_TEST
    return (
        Turn(
            tools=(
                _tell("Thank you, I build it the way you decided."),
                *edits,
                _edit(project.TESTS, "\n\nif __name__", f"\n{tests}\n\nif __name__"),
                _RUN_TESTS,
            ),
            delay_s=0.6,
        ),
    )


def _ponder(index: int) -> Turn:
    """Think at length about the corner cases until the day's budget is nearly used."""
    return Turn(
        think=_REASONING * 36,
        tools=(
            ToolCall(
                "bash",
                {
                    "command": "python3 -c 'from fair_share import shares; "
                    f"print(sum(shares({index}999, 7, 15)))'",
                    "goal": "a corner case adds up",
                },
            ),
        ),
        delay_s=0.3,
    )


_EVENING = (
    Turn(
        tools=(
            ToolCall(
                "document",
                {
                    "name": "handover",
                    "content": "Done: arithmetic, tests, page.\nNext: look at the page, write "
                    "the README, run everything once more, report.",
                },
            ),
            _tell("Today's budget is nearly used; I left myself a note for tomorrow."),
        ),
        delay_s=0.5,
    ),
    Turn(say="Everything is consistent. I go on when the budget is refreshed.", delay_s=0.3),
)

_MORNING = (
    Turn(
        tools=(
            _tell("Awake again: a last look at everything.", "Check"),
            _write(project.README, project.README_TEXT),
            ToolCall("take_screenshot", {"path": project.PAGE, "width": 480, "height": 640}),
        ),
        delay_s=0.6,
    ),
    Turn(tools=(_RUN_TESTS, ToolCall("glob", {})), delay_s=0.5),
    Turn(
        say=(
            "Fair share is built: `fair_share.py` with its tests, and `index.html`, which needs "
            "no server. Run the tests with `python3 -m unittest`. The odd cents go where you "
            "decided."
        ),
        delay_s=0.4,
    ),
)
