"""Documents and passages of the central retrieval service, and its answers."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

BASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")


@dataclass(frozen=True, slots=True)
class RemoteDocument:
    """A document to be pushed; `external_id` is our own id."""

    external_id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class RemotePassage:
    """A passage of a base that was searched; the higher the score, the better.

    `reference` is the service's id of it.
    """

    title: str
    text: str
    score: float
    reference: str | None


class Envelope(BaseModel):
    """The outer object of every answer."""

    status: Literal["success"]
    data: dict[str, Any]


class CreatedBase(BaseModel):
    """A knowledge base that was created; its id becomes part of paths."""

    id: Annotated[str, Field(pattern=f"^{BASE_ID.pattern}$")]


class Accepted(BaseModel):
    """A document that was stored; other members of the answer are ignored."""


class RemoteResult(BaseModel):
    """One passage as the service sends it."""

    id: str | None = None
    title: str = ""
    text: str
    score: Annotated[float, Field(allow_inf_nan=False)]


class QueryResult(BaseModel):
    """The passages, the best first."""

    results: list[RemoteResult]
