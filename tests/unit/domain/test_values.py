"""What holds for the whole layer: frozen values, and documentation that names real things."""

import importlib
import inspect
import pkgutil
import re
from dataclasses import FrozenInstanceError, fields, is_dataclass
from types import ModuleType

import pytest

from cofounder import domain
from cofounder.domain.escalation import Option
from cofounder.domain.jobs import BuildPlan, Job, PlannedPhase, QuestionAndAnswer

MODULES = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(domain.__path__, f"{domain.__name__}.")
]
DATACLASSES = sorted(
    {
        cls
        for module in MODULES
        for cls in vars(module).values()
        if isinstance(cls, type) and is_dataclass(cls) and cls.__module__ == module.__name__
    },
    key=lambda cls: cls.__qualname__,
)
NAMED = re.compile(r"`((?:ports|services|agent|adapters|api|domain)(?:\.\w+)+)`")


def test_all_modules_and_values_are_found() -> None:
    assert {"schedule", "budget", "jobs"} <= {m.__name__.rpartition(".")[2] for m in MODULES}
    assert {Job, BuildPlan, PlannedPhase, QuestionAndAnswer, Option} <= set(DATACLASSES)


@pytest.mark.parametrize("cls", DATACLASSES)
def test_values_are_frozen_and_made_by_keyword(cls: type) -> None:
    assert is_dataclass(cls)
    assert all(field.kw_only for field in fields(cls))
    blank: object = object.__new__(cls)
    with pytest.raises(FrozenInstanceError):
        setattr(blank, fields(cls)[0].name, "changed")


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_what_a_docstring_names_exists(module: ModuleType) -> None:
    for name in NAMED.findall(inspect.getsource(module)):
        home, _, attribute = f"cofounder.{name}".rpartition(".")
        assert hasattr(importlib.import_module(home), attribute), name


def test_identifiers_point_to_where_they_come_from() -> None:
    ids = importlib.import_module("cofounder.domain.ids")
    assert NAMED.findall(ids.__doc__ or "") == ["ports.clock.Ids"]
