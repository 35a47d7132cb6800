"""Who acts, and for which organisation."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from dossier.core.errors import ForbiddenError

SYSTEM_ACTOR = "system"


class RoleRequiredError(ForbiddenError):
    """The member's role does not include this."""

    title = "Role required"


class PersonRequiredError(ForbiddenError):
    """An API key asks for what only a person who is logged in may do."""

    title = "Person required"


@dataclass(frozen=True, slots=True)
class Actor:
    """The member, or the system, on whose behalf something happens."""

    org_id: UUID
    user_id: UUID | None
    role: str
    name: str
    address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    api_key_id: UUID | None = None
    """The key that acts in the member's name; `None` for the member in person."""

    @classmethod
    def system(cls, org_id: UUID) -> Self:
        """Return the actor of work that no person started."""
        return cls(org_id=org_id, user_id=None, role=SYSTEM_ACTOR, name=SYSTEM_ACTOR)

    def require(self, *roles: str) -> None:
        """Raise unless the actor has one of the roles; the system may do all."""
        if self.role != SYSTEM_ACTOR and self.role not in roles:
            detail = f"This needs one of: {', '.join(roles)}; you are {self.role}."
            raise RoleRequiredError(detail)

    def require_person(self) -> None:
        """Raise where an API key acts: a leaked key must not be able to do this."""
        if self.api_key_id is not None:
            detail = "An API key cannot do this; log in with your password."
            raise PersonRequiredError(detail)
