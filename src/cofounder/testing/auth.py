"""`ports.auth.Authenticator` with tokens that are known in advance."""

import hmac
from collections.abc import Mapping

from cofounder.domain.ids import OwnerId


class StaticTokens:
    """Several owners, each with a token."""

    def __init__(self, owners: Mapping[str, str]) -> None:
        """`owners` maps each token to its owner's name."""
        self._owners = {token.encode(): OwnerId(owner) for token, owner in owners.items()}

    def owner_of(self, token: str) -> OwnerId | None:
        """The owner of this token; None when it is not known."""
        found = None
        for known, owner in self._owners.items():
            if hmac.compare_digest(known, token.encode(errors="replace")):
                found = owner
        return found
