"""`POST /v1/messages`, played from a script, and the routes that tell what happened.

`GET /_bill`, `/_requests` and `/_refusals` answer as JSON, `PUT /_script` takes a new
script as `script.read_script` reads it.
"""

import asyncio
import dataclasses
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate

from pydantic import ValidationError

from cofounder.domain.json_types import JsonObject
from cofounder.domain.money import Usage
from cofounder.testing.provider.billing import BillRow, PromptCache, amount_usd_micros
from cofounder.testing.provider.content import Content, compose
from cofounder.testing.provider.events import Event, error_event, reply_events
from cofounder.testing.provider.exchange import Exchange
from cofounder.testing.provider.faults import (
    Cut,
    Hang,
    InStreamError,
    Refused,
    SilentEnd,
    Slow,
    refusal,
)
from cofounder.testing.provider.player import Play, Player, ScriptOverError
from cofounder.testing.provider.rules import first_complaint
from cofounder.testing.provider.script import RequestView, Script, read_script
from cofounder.testing.provider.wire import WireRequest, segments, view_of

# Requests that are kept whole, for tests that look into them.
_VIEWS_KEPT = 64


@dataclass(frozen=True, kw_only=True)
class RequestRecord:
    """One request that was well-formed: which turn it got, and the fault, if any."""

    provider_request_id: str
    conversation: str
    turn_index: int
    fault: str | None


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One request that a strict provider does not accept."""

    provider_request_id: str
    status: int
    message: str


class _RefusedError(Exception):
    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.refused = Refused(status=status, error_type=error_type, message=message)


class Endpoint:
    """The provider's state and its one call."""

    def __init__(
        self,
        script: Script,
        *,
        api_key: str,
        models: Collection[str] | None,
        monotonic_s: Callable[[], float],
    ) -> None:
        self.bill: list[BillRow] = []
        self.requests: list[RequestRecord] = []
        self.refusals: list[Refusal] = []
        self.views: deque[RequestView] = deque(maxlen=_VIEWS_KEPT)
        self.id_prefix = "req"
        self.progress = asyncio.Event()
        self._api_key = api_key
        self._models = None if models is None else frozenset(models)
        self._priced: set[str] = set()
        self._cache = PromptCache(monotonic_s)
        self._player = Player(script)
        self._sent_thoughts: dict[str, tuple[str, ...]] = {}
        self._received = 0

    def play(self, script: Script) -> None:
        """Go on with another script; bill and caches stay."""
        self._player = Player(script)

    def _progressed(self) -> None:
        """Wake whoever waits for something to have happened."""
        self.progress.set()
        self.progress = asyncio.Event()

    async def serve(self, exchange: Exchange) -> None:
        """Answer one HTTP request."""
        try:
            if exchange.path == "/v1/messages" and exchange.method == "POST":
                await self._message(exchange)
            else:
                await self._tell(exchange)
        finally:
            exchange.close()
            self._progressed()

    async def _tell(self, exchange: Exchange) -> None:
        known: Mapping[str, Sequence[BillRow | RequestRecord | Refusal]] = {
            "/_bill": self.bill,
            "/_requests": self.requests,
            "/_refusals": self.refusals,
        }
        rows = known.get(exchange.path)
        if rows is not None and exchange.method == "GET":
            await exchange.answer_json(200, [dataclasses.asdict(row) for row in rows])
        elif exchange.path == "/_script" and exchange.method == "PUT":
            try:
                self.play(read_script(await exchange.body()))
            except ValidationError as error:
                await exchange.answer_json(400, {"error": str(error)})
            else:
                await exchange.answer_json(200, {})
        else:
            await exchange.answer_json(404, {"error": "no such route"})

    async def _message(self, exchange: Exchange) -> None:
        self._received += 1
        request_id = f"{self.id_prefix}_{self._received:06d}"
        body = await exchange.body()
        try:
            request = self._accept(exchange, body)
            view = view_of(request)
            play = self._play(view)
        except _RefusedError as error:
            refused = error.refused
            self.refusals.append(
                Refusal(
                    provider_request_id=request_id, status=refused.status, message=refused.message
                )
            )
            self._progressed()
            await _refuse(exchange, request_id, refused)
            return
        self.views.append(view)
        self.requests.append(
            RequestRecord(
                provider_request_id=request_id,
                conversation=play.conversation,
                turn_index=play.turn_index,
                fault=None if play.fault is None else play.fault.kind,
            )
        )
        self._progressed()
        wait_s = play.turn.delay_s + (play.fault.seconds if isinstance(play.fault, Slow) else 0.0)
        if wait_s and not await exchange.pause(wait_s):
            return
        scripted = refusal(play.fault)
        if scripted is None:
            await self._stream(exchange, request_id, request, play)
        else:
            await _refuse(exchange, request_id, scripted)

    def _accept(self, exchange: Exchange, body: bytes) -> WireRequest:
        bearer = exchange.header("authorization").removeprefix("Bearer ")
        if self._api_key not in {exchange.header("x-api-key"), bearer}:
            raise _RefusedError(401, "authentication_error", "invalid x-api-key")
        if not exchange.header("anthropic-version"):
            raise _invalid("anthropic-version: header is required")
        try:
            request = WireRequest.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise _invalid(f"{place}: {first['msg']}") from error
        if not self._knows(request.model):
            raise _RefusedError(404, "not_found_error", f"model: {request.model}")
        complaint = first_complaint(request, self._sent_thoughts)
        if complaint:
            raise _invalid(complaint)
        return request

    def _knows(self, model: str) -> bool:
        if self._models is not None and model not in self._models:
            return False
        if model not in self._priced:
            try:
                amount_usd_micros(model, Usage())
            except LookupError:
                return False
            self._priced.add(model)
        return True

    def _play(self, view: RequestView) -> Play:
        try:
            return self._player.play(view)
        except ScriptOverError as error:
            raise _invalid(str(error)) from error

    async def _stream(
        self, exchange: Exchange, request_id: str, request: WireRequest, play: Play
    ) -> None:
        prompt = self._cache.charge(request.model, segments(request))
        content = compose(play.turn, seed=prompt.digest, max_tokens=request.max_tokens)
        self._remember(content)
        events = list(
            reply_events(
                content,
                message_id=request_id.replace("req", "msg", 1),
                model=request.model,
                usage=prompt.usage,
            )
        )
        if isinstance(play.fault, Cut | SilentEnd | InStreamError | Hang):
            sent = events[: play.fault.after_events]
        else:
            sent = events
        await exchange.start(
            200, {"content-type": "text/event-stream; charset=utf-8", "request-id": request_id}
        )
        delay_s = play.turn.chunk_delay_s
        early, last = (sent[:-1], sent[-1:]) if delay_s else ([], sent)
        count = await _send_slowly(exchange, early, delay_s)
        complete = count == len(early) and (not delay_s or await exchange.pause(delay_s))
        billed = sent if complete else early[:count]
        # Booked before the end is sent, so that whoever saw the end finds it booked.
        output = billed[-1].output_tokens if billed else 1
        usage = dataclasses.replace(prompt.usage, output_tokens=output)
        self._book(request_id, request.model, play, usage, cut=len(billed) < len(events))
        if complete:
            await exchange.write(b"".join(event.data for event in last))
            await _end(exchange, play)

    def _remember(self, content: Content) -> None:
        for part in content.parts:
            if part.tool_use_id:
                self._sent_thoughts[part.tool_use_id] = content.thoughts

    def _book(self, request_id: str, model: str, play: Play, usage: Usage, *, cut: bool) -> None:
        self.bill.append(
            BillRow(
                provider_request_id=request_id,
                model=model,
                usage=usage,
                amount_usd_micros=amount_usd_micros(model, usage),
                cut=cut,
                conversation=play.conversation,
                turn_index=play.turn_index,
            )
        )
        self._progressed()


def _invalid(message: str) -> _RefusedError:
    return _RefusedError(400, "invalid_request_error", message)


async def _send_slowly(exchange: Exchange, events: Sequence[Event], delay_s: float) -> int:
    """Send events one by one. Returns how many were sent before the client went away."""
    for count, event in enumerate(events):
        if not await exchange.pause(delay_s):
            return count
        await exchange.write(event.data)
    return len(events)


async def _end(exchange: Exchange, play: Play) -> None:
    match play.fault:
        case Cut():
            await exchange.cut()
        case Hang():
            await exchange.pause(None)
        case InStreamError(error_type=error_type):
            await exchange.write(error_event(error_type, "scripted failure"), more=False)
        case _:
            await exchange.write(b"", more=False)


async def _refuse(exchange: Exchange, request_id: str, refused: Refused) -> None:
    headers = {"request-id": request_id, **_retry_headers(refused)}
    await exchange.answer_json(refused.status, _error_body(request_id, refused), headers)


def _error_body(request_id: str, refused: Refused) -> JsonObject:
    error = {"type": refused.error_type, "message": refused.message}
    return {"type": "error", "error": error, "request_id": request_id}


def _retry_headers(refused: Refused) -> dict[str, str]:
    if refused.retry_after_s is None:
        return {}
    if not refused.as_http_date:
        return {"retry-after": f"{refused.retry_after_s:g}"}
    # An instant counts from the answer's own date, so any fixed one will do.
    return {
        "date": formatdate(0, usegmt=True),
        "retry-after": formatdate(refused.retry_after_s, usegmt=True),
    }
