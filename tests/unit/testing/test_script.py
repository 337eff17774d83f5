import pytest

from cofounder.domain.ids import ToolUseId
from cofounder.domain.transcript import Message, Role, StopReason, TextBlock, ToolResultBlock
from cofounder.testing.provider import (
    Cut,
    Overloaded529,
    RequestView,
    Script,
    ToolCall,
    Turn,
    read_script,
)
from cofounder.testing.provider.player import Player, ScriptOverError


def view(*texts: str, system: str = "") -> RequestView:
    """A conversation of user texts with a reply between each two of them."""
    messages: list[Message] = []
    for words in texts:
        if messages:
            messages.append(Message(role=Role.ASSISTANT, blocks=(TextBlock(text="Aha."),)))
        messages.append(Message(role=Role.USER, blocks=(TextBlock(text=words),)))
    return RequestView(
        model="m", system=system, tool_names=(), messages=tuple(messages), max_tokens=100
    )


def said(player: Player, request: RequestView) -> str:
    return player.play(request).turn.say


ABC = (Turn(say="A"), Turn(say="B"), Turn(say="C"))


def test_the_place_in_the_script_is_read_off_the_request() -> None:
    player = Player(Script(default=ABC))
    assert said(player, view("Go")) == "A"
    assert said(player, view("Go", "on", "and on")) == "C"
    assert said(player, view("Go")) == "A"


def test_a_conversation_beyond_its_script_is_an_error() -> None:
    with pytest.raises(ScriptOverError):
        Player(Script(default=ABC)).play(view("1", "2", "3", "4"))


def test_faults_befall_the_first_attempts_of_their_turn() -> None:
    turn = Turn(say="A", faults=(Overloaded529(), Cut(after_events=3)))
    player = Player(Script(default=(turn, Turn(say="B"))))
    plays = [player.play(view("Go")) for _ in range(3)]
    assert [play.fault for play in plays] == [*turn.faults, None]
    assert player.play(view("Go", "on")).fault is None
    # Another conversation has its own attempts.
    assert player.play(view("Other")).fault == Overloaded529()


def test_a_job_is_told_by_a_text_in_its_prompt_or_first_message() -> None:
    player = Player(Script(default=ABC, jobs={"bakery": (Turn(say="Bread"),)}))
    assert said(player, view("Build a bakery site")) == "Bread"
    assert said(player, view("Go", system="The idea: a bakery")) == "Bread"
    assert said(player, view("Go", "bakery")) == "B"
    assert player.play(view("Build a bakery site")).conversation.startswith("bakery:")


def test_a_turn_with_a_match_answers_its_text_and_takes_no_place() -> None:
    player = Player(Script(default=(*ABC, Turn(say="Bye", match="budget is used"))))
    assert said(player, view("Go", "on", "your budget is used up")) == "Bye"
    assert said(player, view("Go", "on", "your budget is used up", "Go on")) == "C"
    assert said(player, view("the budget is used", "Go")) == "A"


def test_a_function_sees_what_is_new() -> None:
    def answer(request: RequestView) -> Turn:
        (result,) = request.tool_results
        return Turn(say=f"{result.text} {request.user_texts} {request.assistant_count}")

    news = Message(
        role=Role.USER,
        blocks=(
            ToolResultBlock(tool_use_id=ToolUseId("a"), text="42"),
            TextBlock(text="Note"),
        ),
    )
    before = view("Go", "on").messages
    request = RequestView(
        model="m", system="", tool_names=(), messages=(*before[:2], news), max_tokens=1
    )
    assert said(Player(Script(default=answer)), request) == "42 ('Note',) 1"


def test_a_script_is_read_from_json() -> None:
    text = """{"default": [{"say": "Hi", "stop_reason": "refusal", "match": "x",
        "tools": [{"name": "read", "input": {"a": [1, {"b": null}]}}],
        "faults": [{"kind": "cut", "after_events": 2}, {"kind": "overloaded_529"}]}],
        "jobs": {"bakery": [{"think": "Hm."}]}}"""
    assert read_script(text.encode()) == Script(
        default=(
            Turn(
                say="Hi",
                stop_reason=StopReason.REFUSAL,
                match="x",
                tools=(ToolCall("read", {"a": [1, {"b": None}]}),),
                faults=(Cut(after_events=2), Overloaded529()),
            ),
        ),
        jobs={"bakery": (Turn(think="Hm."),)},
    )
