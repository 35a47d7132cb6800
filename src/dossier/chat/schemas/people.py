"""Profiles and virtual users as clients send and see them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from dossier.chat.rules.messages import is_blank
from dossier.core.schemas import (
    LineText,
    ParagraphText,
    RequestModel,
    ResponseModel,
)


def _seen(text: str) -> str:
    if is_blank(text):
        message = "must have a character that can be seen"
        raise ValueError(message)
    return text


Name = Annotated[
    LineText,
    StringConstraints(min_length=1, max_length=100, strip_whitespace=True),
    AfterValidator(_seen),
]
Line = Annotated[
    LineText,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(_seen),
]
Paragraph = Annotated[
    ParagraphText,
    StringConstraints(min_length=1, max_length=4000, strip_whitespace=True),
]
Language = Annotated[
    str,
    StringConstraints(
        max_length=16, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$"
    ),
]
"""A language tag such as `zh-TW`."""

Preference = bool | int | Line
PreferenceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,49}$")]


class ProfileUpdate(RequestModel):
    """Change what is sent of one's own profile."""

    display_name: Line = Field(default="", examples=["Mei"])
    language: Language | None = None
    preferences: dict[PreferenceName, Preference] = Field(
        default_factory=dict, max_length=50
    )


class ProfileResponse(ResponseModel):
    """How one appears in chat."""

    id: UUID
    user_id: UUID | None
    display_name: str
    language: str | None
    preferences: dict[str, bool | int | str]
    created_at: datetime


class VirtualUserCreate(RequestModel):
    """A persona of one's own."""

    name: Name = Field(examples=["Dr. Lin"])
    personality: Paragraph | None = None
    tone: Line | None = None
    knowledge_areas: list[Line] = Field(default_factory=list, max_length=20)
    backstory: Paragraph | None = None
    language: Language | None = None


class VirtualUserUpdate(VirtualUserCreate):
    """Change what is sent of one's own persona."""

    name: Name = Field(default="", examples=["Dr. Lin"])


class VirtualUserResponse(ResponseModel):
    """A persona as its owner sees it."""

    id: UUID
    name: str
    personality: str | None
    tone: str | None
    knowledge_areas: list[str]
    backstory: str | None
    language: str | None
    is_default: bool
    created_at: datetime


class RoomPersonaResponse(ResponseModel):
    """A persona as the others in a room see it."""

    id: UUID
    name: str
    is_default: bool


class RoomPersonaList(ResponseModel):
    """The virtual users in a room, in the order of joining."""

    items: list[RoomPersonaResponse]
