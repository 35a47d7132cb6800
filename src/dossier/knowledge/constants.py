"""Constants of the knowledge domain."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal


class ChunkKind(StrEnum):
    """Kind of a passage."""

    TEXT = "text"
    TABLE = "table"


class DenseState(StrEnum):
    """How far an organisation's passages have vectors."""

    NONE = "none"
    BUILDING = "building"
    READY = "ready"


ITEM_WORDS: Final[Mapping[int, str]] = {
    1: "產品基本資料 basic data",
    2: "產品登錄證明 notification",
    3: "全成分名稱及含量 formula composition",
    4: "標籤 仿單 包裝 容器 label leaflet",
    5: "化粧品優良製造準則 製造場所 GMP",
    6: "製造方法 流程 manufacturing process",
    7: "使用方法 部位 用量 頻率 族群 directions of use",
    8: "使用不良反應資料 adverse reactions",
    9: "物理及化學特性 physical chemical properties specification",
    10: "成分毒理資料 toxicology",
    11: "安定性試驗報告 stability",
    12: "微生物檢測報告 microbiology",
    13: "防腐效能試驗報告 preservative challenge",
    14: "功能評估佐證資料 function efficacy",
    15: "與產品接觸之包裝材質資料 packaging material",
    16: "安全資料 簽署人員 safety assessment",
}
"""Words indexed with a document that is linked to an item of the file."""

REWEIGH_TASK: Final = "knowledge.reweigh"
EMBED_TASK: Final = "knowledge.embed_chunks"
CATCH_UP_TASK: Final = "knowledge.catch_up"

SearchMode = Literal["lexical", "hybrid"]
NotReadyState = Literal["reading", "indexing", "unreadable", "read_partly"]

DEFAULT_HITS: Final = 10
MAX_HITS: Final = 50
MAX_QUESTION_CHARACTERS: Final = 1_000

INDEXED_DIMENSIONS: Final = (256, 384, 512, 768, 1024, 1536)
"""Sizes of vectors that have an index; others are compared one by one."""

MAX_DIMENSIONS: Final = 4_000
"""Longest vector that is stored."""
