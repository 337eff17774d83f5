import inspect
from dataclasses import fields

import pytest

from cofounder.cli import forms


@pytest.mark.parametrize("form", [forms.Run, forms.Resolve, forms.Budget, forms.Demo])
def test_typer_is_shown_every_field_of_a_form(form: type) -> None:
    callback = forms.taking(form, [].append)
    assert list(inspect.signature(callback).parameters) == [field.name for field in fields(form)]


def test_options_arrive_as_one_value() -> None:
    taken: list[forms.Jobs] = []
    forms.taking(forms.Jobs, taken.append)(limit=3, as_json=True)
    assert taken == [forms.Jobs(limit=3, as_json=True)]


def test_help_comes_from_the_function() -> None:
    def shown(form: forms.Jobs) -> None:
        """What help says."""

    assert forms.taking(forms.Jobs, shown).__doc__ == "What help says."
