"""Constants of the product information file."""

from collections.abc import Mapping
from datetime import timedelta, timezone
from enum import StrEnum
from typing import Final, Literal

Market = Literal["tw"]

TAIPEI: Final = timezone(timedelta(hours=8))
"""Days of law begin at midnight in Taipei, all the year round."""


class ItemState(StrEnum):
    """The state of an item, or of one of its requirements.

    `stale`: expired, or of another version of formula or pack. `unconfirmed`: a
    document is linked, but a needed fact was not read and nobody confirmed it.
    """

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


STATE_ORDER: Final[Mapping[ItemState, int]] = {
    ItemState.PRESENT: 0,
    ItemState.WAIVED: 1,
    ItemState.DECLARED: 1,
    ItemState.NOT_APPLICABLE: 2,
    ItemState.STALE: 3,
    ItemState.UNCONFIRMED: 4,
    ItemState.MISSING: 5,
}
"""The best first: a requirement takes the best of its means, an item its worst part."""


class FileStatus(StrEnum):
    """How a whole file stands, for the colour of its cover.

    `blocked`: an item is missing, or there is a blocking finding. `open`: else, items
    are unconfirmed or stale.
    """

    COMPLETE = "complete"
    OPEN = "open"
    BLOCKED = "blocked"


class DecisionKind(StrEnum):
    """What a person may state about an item instead of a document."""

    WAIVER = "waiver"
    DECLARATION = "declaration"


class Means(StrEnum):
    """What a requirement can be met by."""

    PRODUCT_FIELD = "product_field"
    FORMULA = "formula"
    DOCUMENT = "document"


class IdentityKey(StrEnum):
    """By what a document shows that it belongs to the product."""

    PRODUCT = "product"
    MATERIAL = "material"
    SITE = "site"
    SIGNER = "signer"
    NONE = "none"


class Coverage(StrEnum):
    """What the documents of a requirement must name one by one."""

    MATERIALS = "materials"
    SITES = "sites"


class FormulaChange(StrEnum):
    """What differs between two formulas."""

    INGREDIENTS = "ingredients"
    QUANTITIES = "quantities"


class JudgementCode(StrEnum):
    """What decided how a document counts for a requirement."""

    OTHER_PRODUCT = "other_product"
    EXPIRED = "expired"
    NOT_VALID_YET = "not_valid_yet"
    OTHER_FORMULA = "other_formula"
    OTHER_PACK = "other_pack"
    FORMULA_CHANGED = "formula_changed"
    CONFIRMED = "confirmed"
    NOT_READ_YET = "not_read_yet"
    UNREADABLE = "unreadable"
    KIND_UNKNOWN = "kind_unknown"
    OTHER_KIND = "other_kind"
    IDENTITY_UNKNOWN = "identity_unknown"
    FACTS_NOT_READ = "facts_not_read"
    DRAFT = "draft"
    NOT_SIGNED = "not_signed"
    UNSIGNED = "unsigned"
    DECLARATION = "declaration"
    WAIVER_REASON = "waiver_reason"
    READ = "read"


class MatchOutcome(StrEnum):
    """The result of matching a document to the items."""

    MATCHED = "matched"
    STATED = "stated"
    AMBIGUOUS = "ambiguous"
    UNMATCHED = "unmatched"
