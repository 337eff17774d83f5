import json
from pathlib import Path

from cofounder.api.openapi import openapi_json
from cofounder.domain.events import event_types

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
DESCRIBED = json.loads(openapi_json())
OPERATIONS = [
    (path, operation)
    for path, methods in DESCRIBED["paths"].items()
    for operation in methods.values()
]


def test_the_committed_description_is_that_of_the_code() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == openapi_json()


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(set(names)) == len(names) == 22
    assert all("__" not in name and "api" not in name for name in names)


def test_every_error_is_a_problem() -> None:
    problem = {"$ref": "#/components/schemas/Problem"}
    for path, operation in OPERATIONS:
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert answer["content"] == {"application/problem+json": {"schema": problem}}, path


def test_everything_but_the_probes_needs_a_token() -> None:
    free = {path for path, operation in OPERATIONS if "security" not in operation}
    assert free == {"/api/health/live", "/api/health/ready"}


def test_every_field_that_is_sent_is_always_there() -> None:
    for name, schema in DESCRIBED["components"]["schemas"].items():
        if schema["type"] == "object" and not name.endswith("In"):
            assert set(schema["required"]) == set(schema["properties"]), name


def test_the_union_of_events_is_published() -> None:
    items = DESCRIBED["components"]["schemas"]["EventPage"]["properties"]["items"]["items"]
    assert set(items["discriminator"]["mapping"]) == set(event_types())
