"""Holds every answer against the API description: status, media type, and each field."""

import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
from pydantic import BaseModel

from cofounder.api.openapi import openapi_json

_SCHEMAS = "cofounder.api.schemas"
_MODULES = ("budget", "escalations", "events", "health", "inputs", "jobs", "problems")


@dataclass(frozen=True, kw_only=True)
class Described:
    """One operation's answers: media type and model, by status."""

    method: str
    path: re.Pattern[str]
    answers: dict[str, tuple[str, type[BaseModel] | None]]


def _models() -> dict[str, type[BaseModel]]:
    modules = [importlib.import_module(f"{_SCHEMAS}.{name}") for name in _MODULES]
    found = [value for module in modules for value in vars(module).values()]
    return {m.__name__: m for m in found if isinstance(m, type) and issubclass(m, BaseModel)}


def _operations() -> Iterator[Described]:
    models = _models()
    for path, operations in json.loads(openapi_json())["paths"].items():
        for method, operation in operations.items():
            answers = {}
            for status, answer in operation["responses"].items():
                ((media_type, body),) = answer["content"].items()
                name = body["schema"].get("$ref", "").rpartition("/")[2]
                answers[status] = (media_type, models[name] if name else None)
            pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", path))
            yield Described(method=method.upper(), path=pattern, answers=answers)


_DESCRIBED = tuple(_operations())
_EVERYWHERE = {"404", "405"}


async def checked_response(response: httpx2.Response) -> None:
    """Fail when the answer is not what the description says; a hook of the client."""
    media_type = response.headers.get("content-type", "").partition(";")[0]
    if media_type == "text/event-stream" or response.status_code == 303:
        return
    await response.aread()
    known, status = _operation(response.request), str(response.status_code)
    if known is None:
        assert status in _EVERYWHERE | {"401", "403", "421", "200"}
        return
    if status == "405":
        return
    expected, model = known.answers[status]
    assert media_type == expected
    if model is not None:
        _check_body(response, model)


def _operation(request: httpx2.Request) -> Described | None:
    path, method = request.url.path, request.method
    found = (each for each in _DESCRIBED if each.method == method and each.path.fullmatch(path))
    # A fixed path goes before one with a parameter.
    return min(found, key=lambda each: "[^/]+" in each.path.pattern, default=None)


def _check_body(response: httpx2.Response, model: type[BaseModel]) -> None:
    """Read and written again by the model, the body is the same: nothing is missing or extra."""
    read = model.model_validate_json(response.content)
    assert json.loads(read.model_dump_json(by_alias=True)) == response.json()
    for instant in re.findall(r'"\d{4}-\d\d-\d\dT[^"]*"', response.text):
        assert instant.endswith('Z"'), instant
