"""Closed vocabularies of the trail."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

GENESIS_HASH = "0" * 64
"""What the first seal of an organisation is chained to."""


class Action(StrEnum):
    """What was done."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    VIEW = "view"
    EXPORT = "export"
    IMPORT = "import"
    LOGIN = "login"
    LOGOUT = "logout"
    OTHER = "other"


class ActivityStatus(StrEnum):
    """How it ended."""

    SUCCESS = "success"
    FAILURE = "failure"


class Fault(StrEnum):
    """How a trail is broken."""

    CHANGED = "changed"
    MISSING = "missing"
    REORDERED = "reordered"
    TAIL_CUT = "tail_cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityFilter:
    """Which events are wanted; `None` means any."""

    action_type: str | None = None
    entity_type: str | None = None
    entity_id: str | None = None
    user_id: UUID | None = None
    status: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
