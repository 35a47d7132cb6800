"""Constants of the product information file."""

from enum import StrEnum
from typing import Literal

Market = Literal["tw"]


class ItemState(StrEnum):
    """The state of an item, or of one of its requirements."""

    PRESENT = "present"
    DECLARED = "declared"
    WAIVED = "waived"
    NOT_APPLICABLE = "not_applicable"
    STALE = "stale"
    UNCONFIRMED = "unconfirmed"
    MISSING = "missing"


COMPLETE_STATES = frozenset(
    {
        ItemState.PRESENT,
        ItemState.DECLARED,
        ItemState.WAIVED,
        ItemState.NOT_APPLICABLE,
    }
)


class DecisionKind(StrEnum):
    """What a person may state about an item instead of a document."""

    WAIVER = "waiver"
    DECLARATION = "declaration"


class Means(StrEnum):
    """What a requirement can be met by."""

    PRODUCT_FIELD = "product_field"
    FORMULA = "formula"
    DOCUMENT = "document"


class MatchOutcome(StrEnum):
    """The result of matching a document to the items."""

    MATCHED = "matched"
    STATED = "stated"
    AMBIGUOUS = "ambiguous"
    UNMATCHED = "unmatched"
