"""Isolated workspaces on this machine: bubblewrap, else Landlock, else a refusal.

There is no mode without isolation.
"""

import sys
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cofounder.adapters.sandbox import host_view
from cofounder.adapters.sandbox.bubblewrap import Bubblewrap
from cofounder.adapters.sandbox.landlock import Landlock
from cofounder.adapters.sandbox.landlock_launcher import FIRST_ABI_WITH_TCP, landlock_abi
from cofounder.adapters.sandbox.workspace import HostSandbox, Launcher, make_folder
from cofounder.domain.errors import (
    CofounderError,
    ConfigurationError,
    InvalidInputError,
    SandboxUnavailableError,
)
from cofounder.ports.sandbox import Command, Isolation, Sandbox

__all__ = ["Programs", "SandboxReport", "open_sandbox", "probe"]

# Our own folder among the workspaces; no job's identifier has a dot.
_OWN = ".system"
_PROBE_TIMEOUT_S = 20.0
# Kernel settings that keep bubblewrap from working: the name, the value that does, the cure.
_SWITCHES = (
    ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=15000"),
    ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0 (or an AppArmor profile "
        "that allows `userns` to bwrap)",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Programs:
    """What isolates: `bwrap`, a name or a path, and the Python of the Landlock mode."""

    bwrap: str = "bwrap"
    python: str = sys.executable


@dataclass(frozen=True, kw_only=True)
class SandboxReport:
    """What a mode gives on this machine; `isolation` is None when it gives nothing."""

    isolation: Isolation | None
    detail: str
    cure: str = ""


class _Mode(StrEnum):
    AUTO = "auto"
    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"


async def open_sandbox(mode: str, root: Path, *, programs: Programs | None = None) -> Sandbox:
    """A sandbox that has just run a command, with its workspaces beneath `root`.

    `mode` is `auto`, `bubblewrap` or `landlock`; `auto` prefers bubblewrap. It is tried
    here once and never again. Raises `SandboxUnavailableError` when no isolation is to
    be had, `ConfigurationError` when `root` cannot be used.
    """
    sandbox, _ = await _select(mode, root, programs or Programs())
    return sandbox


async def probe(mode: str, *, programs: Programs | None = None) -> SandboxReport:
    """What `open_sandbox` would give, tried in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="cofounder-probe-") as folder:
        try:
            sandbox, detail = await _select(mode, Path(folder), programs or Programs())
        except ConfigurationError as error:
            return SandboxReport(isolation=None, detail=error.message, cure=error.cure)
    return SandboxReport(isolation=sandbox.isolation, detail=detail)


async def _select(mode: str, root: Path, programs: Programs) -> tuple[HostSandbox, str]:
    wanted = _mode(mode)
    root = _usable_root(root)
    own_etc = root / _OWN / "etc"
    host_view.fill_etc(own_etc)
    failures: list[str] = []
    if wanted is not _Mode.LANDLOCK:
        bubblewrap = Bubblewrap(own_etc=own_etc, program=programs.bwrap)
        failure = await _failure(root, bubblewrap)
        if not failure:
            detail = "bubblewrap: own namespaces, no network"
            return HostSandbox(root=root, launcher=bubblewrap), detail
        failures.append(f"bubblewrap: {failure}")
    if wanted is not _Mode.BUBBLEWRAP:
        landlock = Landlock(own_etc=own_etc, python=programs.python)
        failure = _landlock_gap(wanted) or await _failure(root, landlock)
        if not failure:
            detail = "; ".join([_landlock_detail(), *failures])
            return HostSandbox(root=root, launcher=landlock), detail
        failures.append(f"landlock: {failure}")
    raise SandboxUnavailableError(
        f"No isolation for commands is to be had here, so none is run ({'; '.join(failures)}).",
        cure=_cure(),
    )


def _mode(mode: str) -> _Mode:
    try:
        return _Mode(mode)
    except ValueError:
        raise InvalidInputError(
            f"{mode!r} is no sandbox mode.",
            field="sandbox",
            cure=f"Use one of {', '.join(_Mode)}.",
        ) from None


def _usable_root(root: Path) -> Path:
    make_folder(root)
    root = root.resolve()
    for visible in host_view.program_folders():
        if root.is_relative_to(visible.resolve()):
            raise ConfigurationError(
                f"Workspaces in {root} could be read from every other one, because "
                f"commands see {visible}.",
                cure="Set COFOUNDER_DATA_DIR to a folder elsewhere.",
            )
    return root


async def _failure(root: Path, launcher: Launcher) -> str:
    """Why a launcher does not work here: an empty text when it does."""
    try:
        workspace = await HostSandbox(root=root / _OWN, launcher=launcher).open("probe")
        result = await workspace.run(Command(argv=("true",), timeout_s=_PROBE_TIMEOUT_S))
    except CofounderError as error:
        return error.message
    return "" if result.exit_code == 0 else f"`true` ended with {result.exit_code}"


def _landlock_gap(mode: _Mode) -> str:
    """Why Landlock is not enough here. Whoever names the mode accepts an open network."""
    if mode is _Mode.AUTO and landlock_abi() < FIRST_ABI_WITH_TCP:
        return (
            "this kernel cannot refuse TCP (Linux 6.7 can); COFOUNDER_SANDBOX=landlock accepts that"
        )
    return ""


def _landlock_detail() -> str:
    abi = landlock_abi()
    network = "TCP is refused, UDP is not" if abi >= FIRST_ABI_WITH_TCP else "the network is open"
    return f"landlock, version {abi} of its interface: files are confined, {network}"


def _cure() -> str:
    cures = ["install bubblewrap 0.8 or newer (the package `bubblewrap`)"]
    for name, value, cure in _SWITCHES:
        switch = Path("/proc/sys", name)
        if switch.is_file() and switch.read_text().strip() == value:
            cures.append(cure)
    if landlock_abi() == 0:
        cures.append("or start a kernel that has `landlock` in its list `lsm=`")
    return "As an administrator: " + "; ".join(cures) + "."
