"""Looking at this machine and its settings: what works, what does not, and the cure."""

from dataclasses import dataclass
from enum import StrEnum

from cofounder.adapters.clock import SystemClock
from cofounder.adapters.data_dir import DataDir
from cofounder.adapters.sandbox import open_sandbox
from cofounder.adapters.sql import SqlStore
from cofounder.api.server import bind
from cofounder.bootstrap.service import open_prices, redacted, redis_answers
from cofounder.domain.errors import CofounderError
from cofounder.ports.sandbox import Isolation
from cofounder.settings import Settings


class Verdict(StrEnum):
    """How it stands."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    detail: str
    cure: str = ""


async def survey(settings: Settings) -> list[Finding]:
    """Look at everything that a service needs.

    Nothing is started; data directory and database are made and brought up to date.
    """
    findings = []
    for name, look in _LOOKS:
        try:
            findings.append(await look(settings))
        except CofounderError as error:
            findings.append(
                Finding(name=name, verdict=Verdict.FAILED, detail=error.message, cure=error.cure)
            )
    return findings


def _ok(name: str, detail: str) -> Finding:
    return Finding(name=name, verdict=Verdict.OK, detail=detail)


async def _data_dir(settings: Settings) -> Finding:
    data_dir = DataDir(settings.data_dir)
    data_dir.prepare()
    return _ok("data directory", str(data_dir.root))


async def _database(settings: Settings) -> Finding:
    store = SqlStore(settings.sql_url)
    try:
        await store.migrate()
    finally:
        await store.close()
    return _ok("database", f"{redacted(settings.sql_url)}, schema up to date")


async def _redis(settings: Settings) -> Finding:
    answers = await redis_answers(settings)
    if answers is None:
        return _ok("redis", "not set; not needed on one machine")
    if answers:
        return _ok("redis", "reachable")
    return Finding(
        name="redis",
        verdict=Verdict.WARNING,
        detail="COFOUNDER_REDIS_URL is set, but nothing answers there.",
        cure="The service works without it. Start Redis, or take the setting away.",
    )


async def _sandbox(settings: Settings) -> Finding:
    sandbox = await open_sandbox(settings.sandbox, DataDir(settings.data_dir).workspaces)
    await sandbox.close()
    if sandbox.isolation is Isolation.FULL:
        return _ok("sandbox", "full isolation (bubblewrap)")
    return Finding(
        name="sandbox",
        verdict=Verdict.WARNING,
        detail="reduced isolation (Landlock): files and TCP are confined, UDP is not",
        cure="Install bubblewrap for the full sandbox.",
    )


async def _key(settings: Settings) -> Finding:
    if settings.anthropic_api_key is not None:
        return _ok("model key", "ANTHROPIC_API_KEY is set")
    return Finding(
        name="model key",
        verdict=Verdict.FAILED,
        detail="ANTHROPIC_API_KEY is not set.",
        cure="Export it, or see the story without a key: cofounder demo.",
    )


async def _price(settings: Settings) -> Finding:
    prices = open_prices(settings, SystemClock())
    prices.check(settings.model)
    return _ok("model price", f"{settings.model}: {prices.price_list(settings.model)}")


async def _port(settings: Settings) -> Finding:
    if DataDir(settings.data_dir).is_held():
        return _ok("port", "a service is running in this data directory")
    with bind(settings.host, settings.port):
        return _ok("port", f"{settings.host}:{settings.port} is free")


_LOOKS = (
    ("data directory", _data_dir),
    ("database", _database),
    ("redis", _redis),
    ("sandbox", _sandbox),
    ("model key", _key),
    ("model price", _price),
    ("port", _port),
)
