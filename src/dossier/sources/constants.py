"""Vocabulary of outside sources."""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple
from uuid import UUID

Mode = Literal["offline", "cache", "live"]

MODE_SETTING: Final = "DOSSIER_SOURCES__MODE"
CENTRAL_SETTING: Final = "DOSSIER_KNOWLEDGE__CENTRAL_URL"

CREATE_BASE_TASK: Final = "sources.create_base"
PUSH_DOCUMENT_TASK: Final = "sources.push_document"

CENTRAL_PATIENCE: Final = 12
"""Failures in a row of a job for the central service: about half an hour."""

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""Longer answers are not kept."""

MAX_BASES: Final = 200
"""Knowledge bases that one search may ask: those of the newest products."""

MAX_FILLED: Final = 500
"""Missing bases, and copies that differ, that are queued at a time."""

CENTRAL_HOST: Final = "central-retrieval"
CENTRAL_EVERY_S: Final = 0.1
"""How fast that service is asked by jobs, by all workers together."""


@dataclass(frozen=True, slots=True)
class CentralDocument:
    """A document on its way to the central service."""

    external_id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class CentralPaper:
    """A document as it is now, and whose bases it belongs to."""

    document: CentralDocument
    revision: int
    product_ids: frozenset[UUID]


class LinkedPaper(NamedTuple):
    """A document at a revision, and one product that it belongs to."""

    org_id: UUID
    document_id: UUID
    product_id: UUID
    revision: int
