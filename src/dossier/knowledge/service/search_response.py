"""Turns a search's result into what clients see, with the stretch to quote."""

from collections.abc import Mapping, Sequence
from typing import Any

from dossier.knowledge.constants import ChunkKind
from dossier.knowledge.rules.analyser import terms
from dossier.knowledge.rules.excerpt import Stretch, excerpt
from dossier.knowledge.schemas.search import (
    CentralResponse,
    Hit,
    HitResponse,
    NotReadyResponse,
    PartsResponse,
    PlaceResponse,
    SearchResponse,
    SearchResult,
)


def search_response(
    question: str, result: SearchResult, took_ms: float
) -> SearchResponse:
    """Return the answer to a question."""
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


def quote_of(hit: Hit, idf: Mapping[str, float]) -> str:
    """Return the stretch of a passage that speaks most of the question, verbatim."""
    is_table = hit.kind == ChunkKind.TABLE
    stretch = excerpt(hit.text, _pieces(hit.places), idf, terms, by_line=is_table)
    return hit.text[stretch.start : stretch.end]


def _hit(hit: Hit, idf: Mapping[str, float]) -> HitResponse:
    return HitResponse(
        chunk_id=hit.chunk_id,
        document_id=hit.document_id,
        filename=hit.filename,
        page=hit.page,
        label=hit.label,
        kind=hit.kind,
        quote=quote_of(hit, idf),
        text=hit.text,
        places=[_place(place) for place in hit.places],
        language=hit.language,
        score=round(hit.score, 6),
        parts=PartsResponse.model_validate(hit.parts),
    )


def _place(place: Mapping[str, Any]) -> PlaceResponse:
    names = ("page", "label", "start", "end", "box")
    return PlaceResponse(**{name: place.get(name) for name in names})


def _pieces(places: Sequence[Mapping[str, Any]]) -> list[Stretch]:
    """Return where each piece lies in the passage: a line feed stands between two."""
    pieces, at = [], 0
    for place in places:
        length = place["end"] - place["start"]
        pieces.append(Stretch(at, at + length))
        at += length + 1
    return pieces
