"""Passages as clients see them."""

from typing import Any
from uuid import UUID

from pydantic import Field

from dossier.core.schemas import ResponseModel, ShownText
from dossier.knowledge.constants import ChunkKind


class ChunkResponse(ResponseModel):
    """One passage; its text is its pieces, one a line, without what nobody sees."""

    id: UUID
    document_id: UUID
    position: int
    page: int
    label: ShownText
    kind: ChunkKind
    text: ShownText
    places: list[dict[str, Any]] = Field(
        description="Where each piece stands in the document's text: `page` (position "
        "of the part), `label`, `start` and `end` in characters, `box`; `repeated` "
        "for a table's header above further rows."
    )
    language: str


class ChunkPageResponse(ResponseModel):
    """Some passages; ask again with `next_cursor` until it is null."""

    items: list[ChunkResponse]
    next_cursor: str | None
