"""The shapes that requests and responses are made from."""

from decimal import Decimal
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer

T = TypeVar("T")


class RequestModel(BaseModel):
    """A request body; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ResponseModel(BaseModel):
    """A response body; it has no defaults, so that clients see every field."""

    model_config = ConfigDict(from_attributes=True)


class Page(ResponseModel, Generic[T]):
    """One page of a list; `total` is null where counting would cost too much."""

    items: list[T]
    total: int | None
    limit: int
    offset: int


def _without_nul(text: str) -> str:
    if "\x00" in text:
        message = "must not contain the character U+0000"
        raise ValueError(message)
    return text


StorableText = Annotated[str, AfterValidator(_without_nul)]
"""Text as PostgreSQL can hold it."""


def _plain(value: Decimal) -> str:
    return format(value, "f")


DecimalText = Annotated[
    Decimal, PlainSerializer(_plain, return_type=str, when_used="json")
]
"""A decimal that travels as a JSON string, so that no client rounds it."""
