"""Figures in the Prometheus text format, measured when they are asked for."""

import resource
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cofounder import __version__
from cofounder.domain.ids import OwnerId
from cofounder.domain.session import ENDED, SessionState
from cofounder.services.bundle import Services

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LIVE = frozenset(SessionState) - ENDED
_STATM = Path("/proc/self/statm")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One figure; `samples` maps labels, as they are written, to values."""

    name: str
    kind: str
    about: str
    samples: Mapping[str, float]

    def lines(self) -> Iterator[str]:
        """The metric in the text format."""
        yield f"# HELP {self.name} {self.about}"
        yield f"# TYPE {self.name} {self.kind}"
        for labels, value in self.samples.items():
            yield f"{self.name}{labels} {value:.15g}"


async def measure(services: Services, owner_id: OwnerId, *, open_streams: int) -> str:
    """All figures. Sessions and escalations are those of `owner_id`, ended ones left out."""
    async with services.store.reading() as tx:
        sessions = await tx.sessions.in_states(_LIVE)
        waiting = await tx.decisions.of_owner(owner_id, only_open=True)
    states = Counter(each.state for each in sessions if each.owner_id == owner_id)
    by_state = {f'{{state="{state.value}"}}': states[state] for state in sorted(_LIVE)}
    metrics = [
        *_process(),
        _gauge("cofounder_sessions", "Live sessions by state.", by_state),
        _gauge("cofounder_escalations_open", "Decisions that wait.", {"": len(waiting)}),
        _gauge("cofounder_streams_open", "Open event streams.", {"": open_streams}),
    ]
    return "".join(f"{line}\n" for metric in metrics for line in metric.lines())


def _process() -> Iterator[Metric]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    yield _gauge("cofounder_info", "Always 1.", {f'{{version="{__version__}"}}': 1})
    yield Metric(
        name="process_cpu_seconds_total",
        kind="counter",
        about="User and system time.",
        samples={"": used.ru_utime + used.ru_stime},
    )
    if _STATM.exists():
        pages = int(_STATM.read_text().split()[1])
        resident = {"": pages * resource.getpagesize()}
        yield _gauge("process_resident_memory_bytes", "Resident memory.", resident)


def _gauge(name: str, about: str, samples: Mapping[str, float]) -> Metric:
    return Metric(name=name, kind="gauge", about=about, samples=samples)
