"""`ports.model.Model` over the Anthropic Messages API."""

from cofounder.adapters.anthropic.reply import ReplyBuilder
from cofounder.adapters.anthropic.wire import Encoder
from cofounder.ports.model import ModelReply, ModelRequest


class AnthropicModel:
    """One attempt per call, streamed; retries are the caller's.

    Without `api_key` and `base_url` the SDK looks for them where it always does. A reply
    with no event for `idle_limit_s` seconds, pings counted, is given up as cut. Make it in
    the process's start-up and use it in one event loop.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        idle_limit_s: float = 120.0,
    ) -> None:
        # The one place that imports the SDK: it takes over two seconds, which a command
        # that calls no model is spared.
        from cofounder.adapters.anthropic.connection import Connection

        self._connection = Connection(api_key=api_key, base_url=base_url, idle_limit_s=idle_limit_s)
        self._encoder = Encoder()

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Make one attempt. Raises a `domain.errors.ModelError`."""
        builder = ReplyBuilder()
        await self._connection.send(self._encoder.body(request), builder)
        return builder.reply()

    def prompt_bytes(self, request: ModelRequest) -> int:
        """Length of the prompt as it is sent, pictures counted as 4 bytes a token."""
        return self._encoder.size_bytes(request)

    async def close(self) -> None:
        """Give back the connections."""
        await self._connection.close()
