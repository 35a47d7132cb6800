"""Constants and enums of the activity log."""

from enum import StrEnum

GENESIS_HASH = "0" * 64
"""The chain hash before the first seal of an organisation."""


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


class ChainFault(StrEnum):
    """How the chain of seals is broken."""

    CHANGED = "changed"
    MISSING = "missing"
    REORDERED = "reordered"
    TAIL_CUT = "tail_cut"
