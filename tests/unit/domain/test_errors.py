"""One tree of errors, drawn in the module's docstring."""

import re
from datetime import UTC, datetime

import pytest

from cofounder.domain import errors
from cofounder.domain.errors import (
    AlreadyResolvedError,
    Answer,
    CofounderError,
    InvalidInputError,
    ModelCredentialsError,
    ModelError,
    ModelOverloadedError,
    ModelRateLimitedError,
    ModelRejectedError,
    ModelStreamCutError,
    UnknownModelError,
)
from cofounder.domain.money import Usage

DRAWN = re.compile(r"^([│├└─ ]*)(\w+Error)\b")


def classes_below(root: type[CofounderError]) -> list[type[CofounderError]]:
    """The root and all that derives from it in this module."""
    below = [cls for child in root.__subclasses__() for cls in classes_below(child)]
    return [root, *(cls for cls in below if cls.__module__ == errors.__name__)]


def drawn_parents() -> dict[str, str | None]:
    """Each error of the docstring's drawing, with the one that it hangs from."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := DRAWN.match(line):
            depth = len(found[1]) // 4
            path = [*path[:depth], found[2]]
            parents[found[2]] = path[depth - 1] if depth else None
    return parents


def test_the_drawing_is_the_tree() -> None:
    tree = {
        cls.__name__: None if cls is CofounderError else cls.__bases__[0].__name__
        for cls in classes_below(CofounderError)
    }
    assert drawn_parents() == tree


def test_every_error_has_its_own_code() -> None:
    codes = [cls.code for cls in classes_below(CofounderError)]
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch("[a-z_]+", code) for code in codes)


def test_an_error_says_what_is_wrong_and_what_to_do() -> None:
    error = CofounderError("The disk is full.", cure="Make room.")
    assert (str(error), error.message, error.cure) == (
        "The disk is full.",
        "The disk is full.",
        "Make room.",
    )
    assert CofounderError("It broke.").cure == ""


def test_a_wrong_field_is_named() -> None:
    error = UnknownModelError("No price for x.", field="model", cure="Name a price.")
    assert isinstance(error, InvalidInputError)
    assert (error.field, error.cure) == ("model", "Name a price.")


def test_the_first_answer_travels_with_the_refusal() -> None:
    answer = Answer(
        decision="skip",
        guidance=None,
        resolved_by="ada",
        resolved_at=datetime(2026, 3, 10, tzinfo=UTC),
    )
    error = AlreadyResolvedError("Answered.", answer=answer)
    assert error.answer is answer
    assert error.cure


@pytest.mark.parametrize(
    ("cls", "retryable"),
    [
        (ModelError, False),
        (ModelRejectedError, False),
        (ModelCredentialsError, False),
        (ModelRateLimitedError, True),
        (ModelOverloadedError, True),
        (ModelStreamCutError, True),
    ],
)
def test_only_what_may_pass_is_retried(*, cls: type[ModelError], retryable: bool) -> None:
    usage = Usage(input_tokens=7)
    error = cls("Failed.", usage=usage, retry_after_s=7200.0)
    assert error.retryable is retryable
    assert (error.usage, error.retry_after_s) == (usage, 7200.0)
    assert (cls("Failed.").usage, cls("Failed.").retry_after_s) == (None, None)
