"""The routes as a FastAPI application, and their description as it is committed."""

import json

from fastapi import FastAPI

from cofounder import __version__
from cofounder.api.problems import MEDIA_TYPE, install
from cofounder.api.routes import router


class _Api(FastAPI):
    def openapi(self) -> dict[str, object]:
        """FastAPI's description, in which errors have their own media type."""
        described = super().openapi()
        for operations in described["paths"].values():
            for operation in operations.values():
                for status, response in operation["responses"].items():
                    if status >= "400":
                        (body,) = response["content"].values()
                        response["content"] = {MEDIA_TYPE: body}
        return described


def build_api(version: str) -> FastAPI:
    """All routes and error handlers. Services are looked up in `state` when a route runs."""
    api = _Api(
        title="Cofounder",
        summary="An agent that builds software for days on a fixed, paced budget.",
        version=version,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    install(api)
    api.include_router(router)
    return api


def openapi_json() -> str:
    """The description of the API, the same text for the same code."""
    described = build_api(__version__).openapi()
    return json.dumps(described, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
