"""What commands see of the host: its programs and their read-only data, nothing private.

The host's `/etc` is never shown as a whole: passwords, keys, package-index credentials
and host names live there. A command gets the few entries named here.
"""

import resource
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

# Programs and libraries. On most systems all but /usr are links into it.
_PROGRAMS = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
# Entries of /etc that programs break without. Private keys live in none of them.
_ETC_FOLDERS = (
    "alternatives",
    "ca-certificates",
    "chromium.d",
    "fonts",
    "pki/ca-trust/extracted",
    "pki/tls/certs",
    "ssl/certs",
)
ETC_FILES = (
    "ld.so.cache",
    "localtime",
    "mime.types",
    "protocols",
    "services",
    "ssl/openssl.cnf",
)
_OWN_ETC = {
    "passwd": "root:x:0:0:root:/:/bin/sh\nbuilder:x:1000:1000:builder:/tmp/home:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/:/bin/false\n",
    "group": "root:x:0:\nbuilder:x:1000:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "gitconfig": "[user]\n\tname = Cofounder\n\temail = cofounder@localhost\n"
    "[init]\n\tdefaultBranch = main\n",
}
_FONT_CACHE = Path("/var/cache/fontconfig")

OPEN_FILES = 4096
FILE_SIZE_BYTES = 1 << 30


def program_folders() -> tuple[Path, ...]:
    """Real folders with programs, the interpreter's among them."""
    roots = [Path("/", name) for name in _PROGRAMS]
    folders = [root for root in roots if root.is_dir() and not root.is_symlink()]
    interpreter = Path(sys.base_prefix)
    if not any(interpreter.is_relative_to(folder) for folder in folders):
        folders.append(interpreter)
    if _FONT_CACHE.is_dir():
        folders.append(_FONT_CACHE)
    return tuple(folders)


def program_links() -> tuple[tuple[str, Path], ...]:
    """Links such as `/bin -> usr/bin`, as pairs of target and place."""
    roots = [Path("/", name) for name in _PROGRAMS]
    return tuple((str(root.readlink()), root) for root in roots if root.is_symlink())


def etc_folders() -> list[str]:
    """The public folders of `/etc` that this host has."""
    return [name for name in _ETC_FOLDERS if Path("/etc", name).is_dir()]


def fill_etc(own_etc: Path) -> None:
    """Make the `/etc` of commands: our own files, copies of public ones, empty folders.

    The host's `etc_folders()` are to be mounted onto the empty ones.
    """
    for name in etc_folders():
        (own_etc / name).mkdir(parents=True, exist_ok=True)
    for name, text in _OWN_ETC.items():
        _put(own_etc / name, text.encode())
    for name in ETC_FILES:
        with suppress(FileNotFoundError):
            _put(own_etc / name, Path("/etc", name).read_bytes())


def _put(file: Path, content: bytes) -> None:
    """In one step: other processes of the service fill and use the same folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    fresh.write_bytes(content)
    fresh.replace(file)


def environment(*, home: str, temp: str) -> Mapping[str, str]:
    """The whole environment of a command; nothing of the service's own is in it."""
    path = f"{sys.base_prefix}/bin:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
    return {
        "PATH": path,
        "HOME": home,
        "TMPDIR": temp,
        "USER": "builder",
        "LOGNAME": "builder",
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "PAGER": "cat",
    }


def open_files_limit() -> int:
    """RLIMIT_NOFILE for commands: ours, or the host's where that is lower."""
    return _at_most(resource.RLIMIT_NOFILE, OPEN_FILES)


def file_size_limit_bytes() -> int:
    """RLIMIT_FSIZE for commands: ours, or the host's where that is lower."""
    return _at_most(resource.RLIMIT_FSIZE, FILE_SIZE_BYTES)


def _at_most(kind: int, wanted: int) -> int:
    _, hard = resource.getrlimit(kind)
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
