"""Responses of a search: each hit with its quote."""

from collections.abc import Mapping

from dossier.knowledge.constants import ChunkKind
from dossier.knowledge.rules.analyser import terms
from dossier.knowledge.rules.excerpt import Stretch, excerpt
from dossier.knowledge.schemas import (
    CentralResponse,
    HitResponse,
    NotReadyResponse,
    PartsResponse,
    PlaceResponse,
    SearchResponse,
)
from dossier.knowledge.types import SearchHit, SearchResult

_PLACE_MEMBERS = ("page", "label", "start", "end", "box")


def search_response(
    question: str, result: SearchResult, took_ms: float
) -> SearchResponse:
    """Return the response to a question."""
    return SearchResponse(
        query=question,
        mode=result.mode,
        why=result.why,
        corpus_version=result.corpus_version,
        took_ms=round(took_ms, 2),
        items=[_hit(hit, result.idf) for hit in result.hits],
        central=[CentralResponse.model_validate(each) for each in result.central],
        not_ready=[NotReadyResponse.model_validate(each) for each in result.not_ready],
    )


def _hit(hit: SearchHit, idf: Mapping[str, float]) -> HitResponse:
    is_table = hit.kind == ChunkKind.TABLE
    pieces: list[Stretch] = []
    at = 0
    for place in hit.places:
        length = place["end"] - place["start"]
        pieces.append(Stretch(at, at + length))
        at += length + 1  # a line feed separates two pieces of the passage
    quote = excerpt(hit.text, pieces, idf, terms, by_line=is_table)
    return HitResponse(
        chunk_id=hit.chunk_id,
        document_id=hit.document_id,
        filename=hit.filename,
        page=hit.page,
        label=hit.label,
        kind=hit.kind,
        quote=hit.text[quote.start : quote.end],
        text=hit.text,
        places=[
            PlaceResponse(**{name: place.get(name) for name in _PLACE_MEMBERS})
            for place in hit.places
        ],
        language=hit.language,
        is_partly_read=hit.is_partly_read,
        is_draft=hit.is_draft,
        score=round(hit.score, 6),
        parts=PartsResponse.model_validate(hit.parts),
    )
