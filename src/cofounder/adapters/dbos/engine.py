"""`ports.engine.Engine` on DBOS Transact.

DBOS is a queue here: a turn is a workflow without steps, its id made of session and turn.
A turn's rows go into DBOS's tables in the caller's transaction; DBOS's threads find them
by polling, and run them on the event loop that called `start`.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar, runtime_checkable

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions

from cofounder.adapters.dbos.database import SCHEMA, address_of, connect_engine
from cofounder.adapters.dbos.logs import LEVEL, route_logs
from cofounder.adapters.dbos.turns import WORKFLOW, Turns, leave_slot, take_slot
from cofounder.domain.errors import ConfigurationError, StoreUnavailableError
from cofounder.domain.ids import SessionId
from cofounder.ports.clock import Clock
from cofounder.ports.engine import TurnHandler
from cofounder.ports.store import Transaction

T = TypeVar("T")

_APPLICATION = "cofounder"
_QUEUE = "turns"
# Constant on purpose: DBOS leaves the jobs of another version lying.
_VERSION = "1"
# Its default is pickle, and what reads a pickle runs it.
_SERIALIZER = DBOSPortableJSONSerializer()
# How long a cancelled turn may take to unwind.
_UNWIND_S = 2.0


@runtime_checkable
class _RunsSync(Protocol):
    async def run_sync(self, work: Callable[[sa.Connection], T], /) -> T:
        """Call `work` with the plain connection of the transaction."""
        ...


class DbosEngine:
    """The durable queue of turns. At most one is started per process, as DBOS is.

    Turns that a process left behind are dispatched again by the next start with the same
    `executor_id`, or by `reclaim` from another process.
    """

    def __init__(
        self,
        database_url: str,
        executor_id: str,
        clock: Clock,
        *,
        polling_interval_s: float = 0.2,
        worker_concurrency: int = 16,
    ) -> None:
        """Nothing is opened yet.

        A turn is dispatched half a `polling_interval_s` after its commit on average; each
        look costs about 3.5 ms of CPU. `worker_concurrency` limits the turns that run at
        once in this process.
        """
        route_logs()
        self._url = address_of(database_url)
        self._executor_id = executor_id
        self._clock = clock
        self._polling_interval_s = polling_interval_s
        self._worker_concurrency = worker_concurrency
        self._database = connect_engine(self._url)
        self._client = DBOSClient(
            system_database_engine=self._database,
            dbos_system_schema=SCHEMA,
            application_name=_APPLICATION,
            serializer=_SERIALIZER,
            lazy=True,
        )
        self._dbos: DBOS | None = None
        self._turns: Turns | None = None
        self._stopping = False

    async def enqueue(
        self, tx: Transaction, session_id: SessionId, turn: int, *, delay_s: float = 0.0
    ) -> None:
        """Dispatch the turn, not before `delay_s` seconds from now, if `tx` commits.

        A turn that was enqueued before is left as it is. `tx.connection` has to offer
        `run_sync`, as SQLAlchemy's `AsyncConnection` does, on the database of this engine.
        """
        connection = tx.connection
        if not isinstance(connection, _RunsSync):
            raise ConfigurationError("The engine needs a transaction of the SQL store.")
        options = EnqueueOptions(
            workflow_name=WORKFLOW,
            queue_name=_QUEUE,
            workflow_id=f"adv:{session_id}:{turn}",
            app_version=_VERSION,
        )
        if delay_s > 0:
            options["delay_seconds"] = delay_s
        client = self._client
        await connection.run_sync(
            lambda sync: client.enqueue_in_transaction(sync, options, session_id, turn)
        )

    async def migrate(self) -> None:
        """Bring DBOS's tables up to date; `start` does it too.

        Safe when several processes do it at once. Raises `StoreUnavailableError`.
        """
        try:
            await asyncio.to_thread(self._migrate)
        except sa.exc.OperationalError as error:
            raise StoreUnavailableError("The database of the queue cannot be used.") from error

    def _migrate(self) -> None:
        DBOS.migrate(self._url.render_as_string(hide_password=False), schema=SCHEMA)
        # Before the launch, so that DBOS polls it from the first moment.
        self._client.register_queue(
            _QUEUE,
            worker_concurrency=self._worker_concurrency,
            polling_interval_sec=self._polling_interval_s,
        )

    async def start(self, handler: TurnHandler) -> None:
        """Begin to dispatch to this event loop, turns that a crash interrupted first.

        Raises `ConfigurationError` when an engine runs in this process already, and
        `StoreUnavailableError`.
        """
        turns = Turns(handler)
        take_slot(turns)
        try:
            await self.migrate()
            self._dbos = DBOS(config=self._config())
            # In this thread, for some milliseconds: DBOS adopts the loop it is launched on.
            DBOS.launch()
        except BaseException:
            await asyncio.to_thread(DBOS.destroy)
            leave_slot()
            raise
        self._turns, self._stopping = turns, False

    def _config(self) -> DBOSConfig:
        return DBOSConfig(
            name=_APPLICATION,
            system_database_engine=self._database,
            dbos_system_schema=SCHEMA,
            application_version=_VERSION,
            executor_id=self._executor_id,
            serializer=_SERIALIZER,
            run_migrations=False,
            log_level=LEVEL,
            # Messages and schedules are not used. Threads that wait for them hold up a stop:
            # one that connects to listen just then for ten seconds, one that polls so long.
            use_listen_notify=False,
            notification_listener_polling_interval_sec=0.1,
            scheduler_polling_interval_sec=3600.0,
        )

    @property
    def stopping(self) -> bool:
        """Whether turns are asked to end after their running iteration."""
        return self._stopping

    async def stop(self, *, grace_s: float) -> None:
        """Dispatch nothing more, wait up to `grace_s` for running turns, give up the rest.

        What was given up is put back into the queue, for this or another process.
        """
        dbos, turns = self._dbos, self._turns
        self._dbos = self._turns = None
        self._stopping = True
        if dbos is not None and turns is not None:
            await self._end(dbos, turns, grace_s)
        self._database.dispose()

    async def _end(self, dbos: DBOS, turns: Turns, grace_s: float) -> None:
        turns.let_none_begin()
        for polling in list(dbos.background_thread_stop_events):
            polling.set()
        await turns.ended(self._clock, within_s=grace_s)
        turns.give_up()
        await turns.ended(self._clock, within_s=_UNWIND_S)
        await self._shut_down(dbos)
        leave_slot()
        await self.reclaim(self._executor_id)

    async def _shut_down(self, dbos: DBOS) -> None:
        # In a thread: it joins threads that may wait for this loop to take a last turn.
        await asyncio.to_thread(DBOS.destroy)
        # Those turns end at once, but they must not meet the next engine of this process.
        last: set[asyncio.Task[object]] = set(getattr(dbos, "_workflow_tasks", ()))
        if last:
            await asyncio.wait(last, timeout=_UNWIND_S)

    async def reclaim(self, executor_id: str) -> int:
        """Put the running turns of a process that is gone back into the queue.

        Returns how many. Only for a process that cannot run them any more.
        """
        return await asyncio.to_thread(self._reclaim, executor_id)

    def _reclaim(self, executor_id: str) -> int:
        left = self._client.list_workflows(
            status="PENDING",
            name=WORKFLOW,
            executor_id=executor_id,
            load_input=False,
            load_output=False,
        )
        if left:
            self._client.resume_workflows([w.workflow_id for w in left], queue_name=_QUEUE)
        return len(left)
