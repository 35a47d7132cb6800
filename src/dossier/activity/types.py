"""Value objects of the activity log."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dossier.activity.constants import ChainFault


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The end of a chain; kept outside, it shows later that no events were cut off."""

    position: int
    chain_hash: str


@dataclass(frozen=True, slots=True)
class ChainLink:
    """One seal with the event it seals, as stored.

    `content_hash` is computed from the stored event; `None`: there is no such event.
    """

    position: int
    event_id: UUID
    row_hash: str
    chain_hash: str
    content_hash: str | None


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """The first place where the chain is broken."""

    position: int
    event_id: UUID | None
    fault: ChainFault


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityFilter:
    """Conditions of a list of events; `None` means any."""

    action_type: str | None = None
    entity_type: str | None = None
    entity_id: str | None = None
    user_id: UUID | None = None
    status: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
