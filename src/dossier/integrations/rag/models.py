"""What comes from the central retrieval service, checked."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

BASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of one of the bases that were asked."""

    title: str
    text: str
    score: float
    reference: str | None


class Envelope(BaseModel):
    """Every answer: how it went, and what it is about."""

    status: Literal["success"]
    data: dict[str, Any]


class CreatedBase(BaseModel):
    """A knowledge base that was made; its id becomes part of paths."""

    id: Annotated[str, Field(pattern=f"^{BASE_ID.pattern}$")]


class Accepted(BaseModel):
    """A document that was taken; whatever else is told of it does not matter."""


class RemoteResult(BaseModel):
    """One passage as it is sent."""

    id: str | None = None
    title: str = ""
    text: str
    score: Annotated[float, Field(allow_inf_nan=False)]


class QueryResult(BaseModel):
    """The passages, the best first."""

    results: list[RemoteResult]
