"""Who is asking."""

from typing import Protocol

from cofounder.domain.ids import OwnerId


class Authenticator(Protocol):
    """Tells owners by what they bring along."""

    def owner_of(self, token: str) -> OwnerId | None:
        """The owner of this bearer token; None when it is not known.

        Compares in constant time.
        """
        ...
