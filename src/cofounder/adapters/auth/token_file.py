"""One local token in a file that only its owner can read."""

import hmac
import os
import secrets
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from cofounder.domain.errors import ConfigurationError
from cofounder.domain.ids import OwnerId

LOCAL_OWNER = OwnerId("local")
_PRIVATE = 0o600


class TokenFile:
    """Implements `ports.auth.Authenticator`: whoever has the token is the owner "local"."""

    def __init__(self, path: Path) -> None:
        """The file is made at first use; its folder has to be there."""
        self._path = path

    @cached_property
    def token(self) -> str:
        """The token, new when there is none yet.

        Raises `ConfigurationError` when the file can neither be read nor made.
        """
        try:
            if not self._path.exists():
                self._create()
            if self._path.stat().st_mode & 0o077:
                self._path.chmod(_PRIVATE)
            token = self._path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"The token file {self._path} cannot be used: {error}.",
                cure="Make it readable and writable for this user, or delete it for a new token.",
            ) from error
        if not token:
            raise ConfigurationError(
                f"The token file {self._path} is empty.", cure="Delete it for a new token."
            )
        return token

    def owner_of(self, token: str) -> OwnerId | None:
        """The owner "local" for the right token, compared in constant time."""
        same = hmac.compare_digest(token.encode(errors="replace"), self.token.encode())
        return LOCAL_OWNER if same else None

    def _create(self) -> None:
        draft = self._path.with_name(f".{self._path.name}-{secrets.token_hex(8)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"{secrets.token_urlsafe(32)}\n")
            # A link is refused when the name is taken, so that of two starts one token stays.
            with suppress(FileExistsError):
                os.link(draft, self._path)
        finally:
            draft.unlink()
