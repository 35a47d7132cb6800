"""Closed vocabularies of products."""

from enum import StrEnum

ITEM_COUNT = 16
"""Items of the product information file that a paper can be linked to."""

MARKETS = ("tw",)
"""Markets whose file can be drawn up."""


class Use(StrEnum):
    """Whether the product stays on the body."""

    LEAVE_ON = "leave_on"
    RINSE_OFF = "rinse_off"


class MatchedBy(StrEnum):
    """Why a paper is linked to an item."""

    STATED = "stated"
    FILENAME = "filename"
    CONTENT = "content"
    USER = "user"


class MicrobialClass(StrEnum):
    """Which microbial limits apply to a category."""

    SENSITIVE = "eye_mucosa_under_3"
    OTHER = "other"
