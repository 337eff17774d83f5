"""The reduced mode's launcher: a program of its own that needs nothing but Python.

    python -I -S -c "..." STATUS_FD TEMP FILES BYTES FOLDER CWD READABLE COMMAND...

STATUS_FD and the lines written to it are described in `process_tree`. TEMP is a folder
to make for temporary files and to remove in the end. FILES and BYTES are RLIMIT_NOFILE
and RLIMIT_FSIZE, FOLDER is the workspace, CWD relative to it, READABLE a list of paths
that may be read, one a line.

It starts the command in a child that gives up everything first, and collects the orphans
of the tree (as its "subreaper"). When the child ends, is killed, or the service goes
away, it kills every descendant and ends after the last one.

Constants and structures are those of linux/landlock.h, linux/prctl.h and
linux/capability.h. `signal` and `contextlib` are not imported: that would double the
time until a command runs.
"""

import ctypes
import os
import resource
import select
import sys
from collections.abc import Sequence

_SYS_CREATE_RULESET, _SYS_ADD_RULE, _SYS_RESTRICT_SELF = 444, 445, 446
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_CHAR, _MAKE_BLOCK, _TRUNCATE, _IOCTL_DEV = 1 << 6, 1 << 11, 1 << 14, 1 << 15
_LOOK = _EXECUTE | _READ_FILE | _READ_DIR
_FILE_ONLY = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
# File-system rights that each version of the interface knows: so many bits from the first.
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16, 6: 16, 7: 16, 8: 16, 9: 17}
_TCP_BIND_AND_CONNECT = 3
_SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 3
FIRST_ABI_WITH_TCP, _FIRST_ABI_WITH_SCOPES = 4, 6

_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 24, 36, 38
_SIGKILL, _SIGPIPE, _SIGXFSZ = 9, 13, 25
_CAPABILITY_VERSION_3 = 0x20080522
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

_libc = ctypes.CDLL(None, use_errno=True)


class _RulesetAttr(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneathAttr(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def landlock_abi() -> int:
    """The version of Landlock's interface, 0 where there is none."""
    return max(0, int(_libc.syscall(_SYS_CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION)))


def main() -> None:
    """Run the command of `sys.argv` and end with its exit code."""
    status_fd, temp = int(sys.argv[1]), sys.argv[2]
    os.set_inheritable(status_fd, False)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    os.mkdir(temp, 0o700)
    os.mkdir(os.path.join(temp, "home"), 0o700)
    try:
        exit_code = _run(status_fd, sys.argv[2:])
    finally:
        _kill_descendants()
        _remove(temp)
    if exit_code is None:
        sys.exit(1)
    os.write(status_fd, b'{"exit-code": %d}\n' % exit_code)
    sys.exit(exit_code)


def _run(status_fd: int, arguments: Sequence[str]) -> int | None:
    """The command's exit code as a shell counts it; None if there is none to tell."""
    failure_read, failure_write = os.pipe()
    launcher = os.getpid()
    child = os.fork()
    if child == 0:
        _become_command(launcher, failure_write, arguments)
    os.close(failure_write)
    os.write(status_fd, b'{"child-pid": %d}\n' % child)
    failed = os.read(failure_read, 1)
    poll = select.poll()
    poll.register(os.pidfd_open(child), select.POLLIN)
    poll.register(status_fd, 0)  # An error there: nobody reads any more, the service is gone.
    poll.poll()
    ended, status = os.waitpid(child, os.WNOHANG)
    if failed or not ended:
        return None
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _become_command(launcher: int, failure_write: int, arguments: Sequence[str]) -> None:
    """In the child: give up what a command must not have, then become it."""
    try:
        temp, files, size, folder, cwd, readable, *command = arguments
        for ignored_by_python in (_SIGPIPE, _SIGXFSZ):
            _libc.signal(ignored_by_python, None)
        os.setsid()
        _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
        if os.getppid() != launcher:
            os._exit(1)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(files), int(files)))
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
        _drop_capabilities()
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        restrict([folder, temp], readable.split("\n"))
        os.chdir(os.path.join(folder, cwd))
    except BaseException as error:  # Whatever went wrong, the command must not run.
        os.write(2, f"landlock: {error}\n".encode())
        os.write(failure_write, b"!")
        os._exit(1)
    os._exit(_execute(command))


def _execute(command: list[str]) -> int:
    """Become the command, or say as a shell would why that cannot be."""
    try:
        os.execvp(command[0], command)
    except FileNotFoundError:
        os.write(2, os.fsencode(f"{command[0]}: not found\n"))
        return 127
    except OSError as error:
        os.write(2, os.fsencode(f"{command[0]}: {error.strerror}\n"))
        return 126


def restrict(folders: Sequence[str], readable: Sequence[str]) -> None:
    """Confine this thread and its future children for good; `OSError` if that fails.

    `folders` are theirs, `readable` they may look at and execute, all else they cannot
    open. From version 4 of the interface on they have no TCP, from 6 on no signals to
    and no abstract sockets of others, from 9 on no named sockets of others.
    """
    abi = landlock_abi()
    if abi == 0:
        raise OSError("this kernel has no Landlock, or it is switched off")
    handled = (1 << _RIGHTS[min(abi, max(_RIGHTS))]) - 1
    attr = _RulesetAttr(handled, 0, 0)
    if abi >= FIRST_ABI_WITH_TCP:
        attr.handled_access_net = _TCP_BIND_AND_CONNECT
    if abi >= _FIRST_ABI_WITH_SCOPES:
        attr.scoped = _SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS
    size = 24 if abi >= _FIRST_ABI_WITH_SCOPES else 16 if abi >= FIRST_ABI_WITH_TCP else 8
    ruleset_fd = _checked(_libc.syscall(_SYS_CREATE_RULESET, ctypes.byref(attr), size, 0))
    for folder in folders:
        _allow(ruleset_fd, folder, handled & ~(_MAKE_CHAR | _MAKE_BLOCK | _IOCTL_DEV))
    for path in readable:
        _allow(ruleset_fd, path, handled & _LOOK)
    _allow(ruleset_fd, "/proc", handled & (_READ_FILE | _READ_DIR))
    for device in _DEVICES:
        _allow(ruleset_fd, device, handled & (_READ_FILE | _WRITE_FILE | _TRUNCATE))
    _checked(_libc.syscall(_SYS_RESTRICT_SELF, ruleset_fd, 0))
    os.close(ruleset_fd)


def _allow(ruleset_fd: int, path: str, access: int) -> None:
    if not os.path.exists(path):
        return
    if not os.path.isdir(path):
        access &= _FILE_ONLY
    fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    attr = _PathBeneathAttr(access, fd)
    _checked(_libc.syscall(_SYS_ADD_RULE, ruleset_fd, _RULE_PATH_BENEATH, ctypes.byref(attr), 0))
    os.close(fd)


def _drop_capabilities() -> None:
    """Root's powers end here; for others there is nothing to drop, which is no error."""
    for capability in range(64):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _checked(_libc.capset(header, (ctypes.c_uint32 * 6)()))


def _kill_descendants() -> None:
    """Until none is left: orphans of the killed become our children, so none gets away."""
    try:
        while True:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
            for pid in _descendants():
                _libc.kill(pid, _SIGKILL)  # An error would mean that it is gone already.
            os.wait()
    except ChildProcessError:
        return


def _remove(temp: str) -> None:
    """Nobody is left who could swap a link in, and neither `chmod -R` nor `rm` follows one."""
    try:
        os.rmdir(os.path.join(temp, "home"))
        os.rmdir(temp)
    except OSError:
        script = 'exec >/dev/null 2>&1; chmod -R u+rwx "$1"; rm -rf "$1"'
        os.spawnl(os.P_WAIT, "/bin/sh", "sh", "-c", script, "sh", temp)


def _descendants() -> list[int]:
    """Process ids below this one, by a walk through /proc."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    # The name before the last bracket may hold anything.
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, []).append(int(name))
    found: list[int] = []
    pending = children.get(os.getpid(), [])
    while pending:
        pid = pending.pop()
        found.append(pid)
        pending.extend(children.get(pid, []))
    return found


def _prctl(option: int, value: int) -> None:
    _checked(_libc.prctl(option, value, 0, 0, 0))


def _checked(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


if __name__ == "__main__":
    main()
