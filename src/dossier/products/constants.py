"""Constants of products."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

ITEM_COUNT = 16
"""Items of the product information file that a document can be linked to."""

REQUIREMENTS: Final[Mapping[int, tuple[str, ...]]] = {
    1: ("name", "category", "dosage-form", "purpose", "sites", "holder"),
    2: ("notification",),
    3: ("formula",),
    4: ("label",),
    5: ("gmp",),
    6: ("process",),
    7: ("method", "body-site", "amount", "frequency", "population"),
    8: ("adverse",),
    9: ("product", "ingredients"),
    10: ("toxicology",),
    11: ("stability",),
    12: ("microbes",),
    13: ("challenge",),
    14: ("function",),
    15: ("packaging",),
    16: ("assessment", "credentials"),
}
"""What each item of Taiwan's file asks for: the words of codes like `tw-9.product`.

What they mean is the rulebook's, a floor above; a test holds the two together.
"""


class Use(StrEnum):
    """Whether the product stays on the body."""

    LEAVE_ON = "leave_on"
    RINSE_OFF = "rinse_off"


class ProductState(StrEnum):
    """Whether a formula was imported for the product."""

    WITHOUT_FORMULA = "without_formula"
    WITH_FORMULA = "with_formula"


class MatchedBy(StrEnum):
    """Why a document is linked to an item."""

    STATED = "stated"
    FILENAME = "filename"
    CONTENT = "content"
    USER = "user"


class MicrobialClass(StrEnum):
    """Which microbial limits apply to a category."""

    SENSITIVE = "eye_mucosa_under_3"
    OTHER = "other"
