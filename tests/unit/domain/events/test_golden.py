"""Golden samples of every version of every event: what was once written loads for ever.

A sample's file is `<type>.v<version>.json`. A sample is never changed and never deleted;
a new field means a new version beside the old one.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cofounder.domain.events import decode_event, encode_event, event_types

FOLDER = Path(__file__).parents[3] / "contract" / "golden" / "events"
SAMPLES = sorted(FOLDER.glob("*.json"))
EVERY_SAMPLE = pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)


def type_and_version(path: Path) -> tuple[str, int]:
    """`agent.narrated.v1.json` is `agent.narrated`, 1."""
    event_type, _, version = path.stem.rpartition(".v")
    return event_type, int(version)


def newest() -> Mapping[str, Path]:
    """The sample of each type's newest version."""
    return {type_and_version(path)[0]: path for path in sorted(SAMPLES, key=type_and_version)}


def fields_of(data: bytes) -> dict[str, object]:
    """The top-level fields of a JSON object."""
    loaded: dict[str, object] = json.loads(data)
    return loaded


def test_every_event_has_a_sample_and_every_sample_an_event() -> None:
    assert set(newest()) == set(event_types())


@EVERY_SAMPLE
def test_it_loads_and_loses_nothing(path: Path) -> None:
    sample = fields_of(path.read_bytes())
    event = decode_event(path.read_bytes())
    encoded = fields_of(encode_event(event))
    assert event.type == sample["type"] == type_and_version(path)[0]
    assert sample.items() <= encoded.items()
    assert decode_event(encode_event(event)) == event


@pytest.mark.parametrize("path", newest().values(), ids=lambda path: path.name)
def test_the_newest_version_is_written_as_it_was_read(path: Path) -> None:
    data = path.read_bytes()
    assert fields_of(encode_event(decode_event(data))) == fields_of(data)


@EVERY_SAMPLE
def test_a_field_that_a_later_version_adds_is_passed_over(path: Path) -> None:
    sample = fields_of(path.read_bytes())
    later = json.dumps({**sample, "added_later": {"deep": [1, None]}})
    assert decode_event(later) == decode_event(path.read_bytes())


@EVERY_SAMPLE
def test_every_instant_is_aware_and_in_utc(path: Path) -> None:
    event = decode_event(path.read_bytes())
    instants = [value for _, value in event if isinstance(value, datetime)]
    assert instants
    assert {instant.utcoffset() for instant in instants} == {timedelta(0)}
