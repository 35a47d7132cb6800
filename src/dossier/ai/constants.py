"""Closed vocabularies of model calls, budgets and stored answers."""

from datetime import timedelta
from enum import StrEnum
from typing import Final


class BudgetScope(StrEnum):
    """Whose calls a budget counts."""

    ORGANISATION = "organisation"
    USER = "user"
    KEY = "key"


class BudgetWindow(StrEnum):
    """How long until a budget starts anew, in UTC."""

    DAY = "day"
    MONTH = "month"


class AnswerState(StrEnum):
    """Whether an answer is stored, or being made."""

    PENDING = "pending"
    READY = "ready"


class Engine(StrEnum):
    """What made an answer, or would make it."""

    MODEL = "model"
    EXTRACTIVE = "extractive"
    LEXICAL = "lexical"
    DENSE = "dense"
    SERVICE = "service"


class UsageGroup(StrEnum):
    """What usage is summed by."""

    DAY = "day"
    FEATURE = "feature"
    MODEL = "model"
    USER = "user"
    KEY = "key"


LOST_AFTER_FLOOR: Final = timedelta(minutes=10)
"""A call that has been open for longer, and for longer than any run may last, has
no process left that could settle it."""

BUSY_RETRY_S: Final = 5
"""When to come back to a budget that running calls hold."""

USAGE_DAYS: Final = 30
"""How far back sums reach unless stated."""
MAX_USAGE_ROWS: Final = 2000

MANAGERS: Final = ("owner", "admin")
"""Roles that see what models cost, cap it, and clear stored answers."""
