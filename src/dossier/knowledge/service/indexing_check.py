"""Proves that nothing is left of what was deleted, and that counts are exact."""

from dataclasses import dataclass
from uuid import UUID

from dossier.core.database import Session
from dossier.knowledge.gateway.orphans import list_orphans_for_system


@dataclass(frozen=True, slots=True)
class Orphans:
    """What one organisation has of something that should not be there."""

    kind: str
    organisation_id: UUID
    count: int


async def find_orphans(session: Session) -> list[Orphans]:
    """Return what should not be there; needs a system transaction."""
    return [Orphans(*found) for found in await list_orphans_for_system(session)]
