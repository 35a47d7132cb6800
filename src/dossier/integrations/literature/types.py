"""What sources find, and the description of one source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class SourceRank(IntEnum):
    """How much a finding weighs; higher goes first."""

    WEB = 1
    PREPRINT = 2
    REVIEW = 3
    GUIDELINE_STUDY = 4
    REGULATOR = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHit:
    """One work or page that a source names."""

    source: str
    title: str
    url: str
    text: str
    """Abstract or summary, as the source gives it."""
    identifier: str
    """arXiv id, PMID, CID, or the address."""
    authors: tuple[str, ...] = ()
    published: str = ""
    """A date or a year, as the source gives it."""
    rank: SourceRank = SourceRank.WEB


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """One question over HTTP: a GET, or a POST where there is a body."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What a source answered, as it is stored."""

    url: str
    status: int
    media_type: str | None
    body: bytes
