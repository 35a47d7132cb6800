"""Words of the knowledge domain."""

from enum import StrEnum
from typing import Final


class ChunkKind(StrEnum):
    """What a passage is made of."""

    TEXT = "text"
    TABLE = "table"


class DenseState(StrEnum):
    """Whether an organisation's passages can be compared by their vectors."""

    NONE = "none"
    BUILDING = "building"
    READY = "ready"


INDEX_TASK: Final = "knowledge.index_document"
REWEIGH_TASK: Final = "knowledge.reweigh"
EMBED_TASK: Final = "knowledge.embed_chunks"
CATCH_UP_TASK: Final = "knowledge.catch_up"

INDEXED_DIMENSIONS: Final = (256, 384, 512, 768, 1024, 1536)
"""Sizes of vectors that have an index; others are compared one by one."""

MAX_DIMENSIONS: Final = 4_000
"""Longest vector that is kept."""
