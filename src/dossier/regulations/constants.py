"""Constants of regulations: the closed values of rules and of product facts."""

from enum import StrEnum
from typing import Final


class Market(StrEnum):
    """A market whose lists a check knows."""

    EU = "eu"
    TW = "tw"


class RuleKind(StrEnum):
    """What an entry does."""

    PROHIBIT = "prohibit"
    LIMIT = "limit"
    DISCLOSE = "disclose"
    TEXT_ONLY = "text_only"


class IngredientPurpose(StrEnum):
    """Why a substance is in the product, as far as lists differ by it."""

    PRESERVATIVE = "preservative"
    COLOURANT = "colourant"
    UV_FILTER = "uv_filter"
    OTHER = "other"


class UserGroup(StrEnum):
    """Who applies the product."""

    GENERAL = "general"
    PROFESSIONAL = "professional"


class Form(StrEnum):
    """The dosage form, as far as limbs differ by it."""

    CREAM = "cream"
    LOTION = "lotion"
    GEL = "gel"
    LIQUID = "liquid"
    OIL = "oil"
    FOAM = "foam"
    STICK = "stick"
    ROLL_ON = "roll_on"
    PASTE = "paste"
    BAR = "bar"
    SHEET = "sheet"
    WIPE = "wipe"
    PRESSED_POWDER = "pressed_powder"
    LOOSE_POWDER = "loose_powder"
    SPRAY = "spray"
    AEROSOL = "aerosol"


class Site(StrEnum):
    """Where the product is applied."""

    FACE = "face"
    BODY = "body"
    HAND = "hand"
    FOOT = "foot"
    HAIR = "hair"
    LIP = "lip"
    EYE = "eye"
    ORAL = "oral"
    NAIL = "nail"
    NAPPY = "nappy"
    INTIMATE = "intimate"


class Population(StrEnum):
    """For whom the product is made."""

    GENERAL = "general"
    ADULT = "adult"
    UNDER_1 = "children_under_1"
    UNDER_3 = "children_under_3"
    UNDER_6 = "children_3_to_5"
    UNDER_10 = "children_6_to_9"
    OVER_10 = "children_10_and_over"


ANNEX_PURPOSE: Final = {
    "IV": IngredientPurpose.COLOURANT,
    "V": IngredientPurpose.PRESERVATIVE,
    "VI": IngredientPurpose.UV_FILTER,
}
"""The positive lists of the EU and their purpose."""

LISTS: Final = {
    Market.EU: ("II", "III", "IV", "V", "VI"),
    Market.TW: (
        "prohibited",
        "restricted",
        "colourants",
        "preservatives",
        "uv_filters",
    ),
}
"""The lists of a market that make its set complete."""
