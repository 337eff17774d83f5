"""The SDK's part: one HTTP request, its raw events, and what can go wrong on the way.

The body goes out as ready bytes through the SDK's `post`, and the events come in raw:
`messages.create` walks and encodes the whole conversation anew at every call and builds an
object per event (4.3 ms against 0.4 ms at 400 messages, 9 ms against 3 ms for 500 events),
and it hides the pings that tell a thinking provider from a dead one.
"""

import asyncio

import anthropic
import httpx2
from anthropic import AsyncAnthropic, AsyncStream

from cofounder.adapters.anthropic.failures import Failure, retry_after_s, to_error
from cofounder.adapters.anthropic.reply import ReplyBuilder
from cofounder.domain.errors import ModelCredentialsError, ModelError, ModelOverloadedError

# A reply whose last event was seen is complete: its connection gets this long to end
# tidily, so that it can be used again.
_TIDY_END_S = 1.0


class Connection:
    """A pool of connections to the provider. Belongs to one event loop."""

    def __init__(self, *, api_key: str | None, base_url: str | None, idle_limit_s: float) -> None:
        self._idle_limit_s = idle_limit_s
        # No time-out of its own: `idle_limit_s` holds for connecting and reading alike.
        self._client = AsyncAnthropic(
            api_key=api_key, base_url=base_url, max_retries=0, timeout=None
        )

    async def send(self, body: bytes, builder: ReplyBuilder) -> None:
        """Post a body and feed the events of the answer to `builder`.

        Raises a `ModelError`. A stream that merely ends early raises nothing: the builder
        knows.
        """
        if not self._has_credentials:
            raise ModelCredentialsError("No API key for the model provider is set.")
        stream = await self._post(body, builder)
        builder.request_id = stream.response.headers.get("request-id")
        try:
            await self._feed(stream, builder)
        except (httpx2.HTTPError, TimeoutError) as error:
            if not builder.finished:
                raise self._cut(error, builder) from error
        finally:
            await stream.close()

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.close()

    @property
    def _has_credentials(self) -> bool:
        client = self._client
        return any((client.api_key, client.auth_token, client.credentials))

    async def _post(self, body: bytes, builder: ReplyBuilder) -> AsyncStream[object]:
        try:
            async with asyncio.timeout(self._idle_limit_s):
                return await self._client.post(
                    "/v1/messages",
                    content=body,
                    cast_to=object,
                    stream=True,
                    stream_cls=AsyncStream[object],
                )
        except anthropic.APIStatusError as error:
            raise _refused(error) from error
        except (anthropic.APIConnectionError, httpx2.HTTPError, TimeoutError) as error:
            if isinstance(error.__cause__ or error, httpx2.ConnectError):
                raise ModelOverloadedError(f"The provider cannot be reached: {error}") from error
            raise self._cut(error, builder) from error

    async def _feed(self, stream: AsyncStream[object], builder: ReplyBuilder) -> None:
        events = stream.raw_events(stream.response)
        while True:
            limit_s = _TIDY_END_S if builder.finished else self._idle_limit_s
            async with asyncio.timeout(limit_s):
                event = await anext(events, None)
            if event is None:
                return
            builder.accept(event.event, event.data)

    def _cut(self, error: Exception, builder: ReplyBuilder) -> ModelError:
        if isinstance(error, TimeoutError):
            return builder.cut(f"nothing came for {self._idle_limit_s:g} s")
        cause = error.__cause__ or error
        return builder.cut(f"{type(cause).__name__}: {cause}")


def _refused(error: anthropic.APIStatusError) -> ModelError:
    failure = Failure(
        status=error.status_code,
        type=error.type,
        code=error.error_code,
        message=error.api_message or "no reason given",
        request_id=error.request_id,
        retry_after_s=retry_after_s(error.response.headers),
    )
    return to_error(failure, None)
