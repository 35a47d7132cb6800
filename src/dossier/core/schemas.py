"""The shapes that requests and responses are made from."""

import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Generic, TypeVar, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    PlainSerializer,
)
from pydantic_core import CoreSchema
from typing_extensions import override

from dossier.core.visible import visible

T = TypeVar("T")

_NUMBER = re.compile(r"(?i)[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf\w*)")

# The framework imports the first pydantic, 30 ms and 27 modules, only to ask whether
# a type is one of its models. Where it cannot be imported, none is.
sys.modules.setdefault("pydantic.v1", None)  # type: ignore[arg-type]  # documented


def _make_strict(node: object) -> None:
    if isinstance(node, dict):
        if node.get("type") in ("bool", "float", "int"):
            node["strict"] = True
        for key, child in node.items():
            if key != "metadata":
                _make_strict(child)
    elif isinstance(node, list | tuple):
        for child in node:
            _make_strict(child)


class RequestModel(BaseModel):
    """A request body; unknown fields are refused, and so are values of another type.

    Of JSON's own types each stands for itself: `true` is no number, `"3"` neither.
    Strictness of the whole model would also refuse ids and instants, which are texts.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @override
    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler, /
    ) -> CoreSchema:
        schema = handler(source)
        _make_strict(schema)
        return schema


def _without_defaults(schema: dict[str, Any]) -> None:
    for member in schema["properties"].values():
        member.pop("default", None)


class PartialModel(RequestModel):
    """A request body of PATCH: a field that is not sent stays as it is.

    The defaults only let a field be absent; a client that read them in the document
    might send them.
    """

    model_config = ConfigDict(json_schema_extra=_without_defaults)


class ResponseModel(BaseModel):
    """A response body; it has no defaults, so that clients see every field.

    What encodes it is built by the first answer of its kind: a start needs none.
    """

    model_config = ConfigDict(from_attributes=True, defer_build=True)


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

REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that show text in another order than it has, so that it reads as another."""
_LAYOUT = frozenset("\t\n\r")


def is_steering(char: str) -> bool:
    """Return whether a character steers how text is shown: a control or a mark."""
    return char in REORDERING or unicodedata.category(char) == "Cc"


def refuse_steering(text: str, but_for: frozenset[str] = frozenset()) -> str:
    """Return the text, or raise `ValueError` naming what steers in it."""
    for char in text:
        if is_steering(char) and char not in but_for:
            message = f"must not contain the character U+{ord(char):04X}"
            raise ValueError(message)
    return text


def _readable_paragraph(text: str) -> str:
    return refuse_steering(text, _LAYOUT)


LineText = Annotated[str, AfterValidator(refuse_steering)]
"""A name or another text of one line: nothing in it steers what shows it."""

ParagraphText = Annotated[str, AfterValidator(_readable_paragraph)]
"""A longer text: as a line, and it may have tabs and line ends."""


ShownText = Annotated[str, AfterValidator(visible)]
"""Text of a document in an answer: the words that a reader of the document sees."""


def _refuse_seconds(value: object) -> object:
    """Refuse a number, which pydantic would take for seconds since 1970."""
    is_number = isinstance(value, (int, float, Decimal)) or (
        isinstance(value, str) and _NUMBER.fullmatch(value.strip()) is not None
    )
    if is_number:
        message = "is a number; write an instant, such as 2026-12-31T09:00:00Z"
        raise ValueError(message)
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as exc:
        message = "lies outside the years 1 to 9999 in UTC"
        raise ValueError(message) from exc


Instant = Annotated[
    AwareDatetime, BeforeValidator(_refuse_seconds), AfterValidator(_in_utc)
]
"""A moment that a client names, with its offset; held in UTC."""


DecimalText = Annotated[
    Decimal,
    PlainSerializer(lambda value: f"{value:f}", return_type=str, when_used="json"),
]
"""A decimal that travels as a JSON string, so that no client rounds it."""


def field_names(kind: Any, path: Sequence[str]) -> Iterator[str]:
    """Yield the fields of the models that stand at a path, of all union branches."""
    if not isinstance(kind, type) or not issubclass(kind, BaseModel):
        for each in get_args(kind):
            yield from field_names(each, path)
    elif not path:
        yield from kind.model_fields
    elif path[0] in kind.model_fields:
        field = kind.model_fields[path[0]]
        yield from field_names(field.annotation, path[1:])
