"""Queries on vectors: passages without one, stored and reused vectors."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, exists, select, text

from dossier.core.database import Session
from dossier.knowledge.models import Chunk, Embedding, KnowledgeStats

_REUSE: Final = text(
    """
    insert into knowledge_embeddings
           (org_id, chunk_id, model, dimensions, content_sha256, vector)
    select bare.org_id, bare.id, known.model, known.dimensions, known.content_sha256,
           known.vector
      from knowledge_chunks bare
     cross join lateral (
           select * from knowledge_embeddings e
            where e.org_id = bare.org_id and e.model = :model
              and e.content_sha256 = bare.content_sha256
              and e.dimensions = :dimensions limit 1) known
     where bare.org_id = :org_id
       and not exists (select from knowledge_embeddings own
                        where own.org_id = bare.org_id and own.chunk_id = bare.id
                          and own.model = :model)
        on conflict do nothing
    """
)
# A passage may have been deleted or changed since its text was sent to the embedder.
_ADD: Final = text(
    """
    insert into knowledge_embeddings
           (org_id, chunk_id, model, dimensions, content_sha256, vector)
    select c.org_id, c.id, :model, :dimensions, c.content_sha256, new.vector::halfvec
      from unnest(cast(:ids as uuid[]), cast(:hashes as text[]),
                  cast(:vectors as text[])) as new(id, content_sha256, vector)
      join knowledge_chunks c
        on c.org_id = :org_id and c.id = new.id
       and c.content_sha256 = new.content_sha256
        on conflict (org_id, chunk_id, model) do update
       set dimensions = excluded.dimensions, vector = excluded.vector,
           content_sha256 = excluded.content_sha256
    """
)


async def reuse_vectors_for_org(
    session: Session, org_id: UUID, model: str, dimensions: int
) -> None:
    """Copy to passages the vectors of others with the same content."""
    values = {"org_id": org_id, "model": model, "dimensions": dimensions}
    await session.execute(_REUSE, values)


async def list_unembedded_chunks_for_org(
    session: Session, org_id: UUID, model: str, limit: int, *, after: UUID
) -> Sequence[Any]:
    """Return the next passages without a vector of this model."""
    has_vector = exists().where(
        Embedding.org_id == Chunk.org_id,
        Embedding.chunk_id == Chunk.id,
        Embedding.model == model,
    )
    query = (
        select(Chunk.id, Chunk.content_sha256, Chunk.context, Chunk.text)
        .where(Chunk.org_id == org_id, Chunk.id > after, ~has_vector)
        .order_by(Chunk.id)
        .limit(limit)
    )
    return (await session.execute(query)).all()


async def add_vectors(session: Session, org_id: UUID, **values: Any) -> None:
    """Insert vectors of a `model` and `dimensions`: `ids`, `hashes`, `vectors`."""
    await session.execute(_ADD, {"org_id": org_id} | values)


async def delete_other_vectors_for_org(
    session: Session, org_id: UUID, model: str, dimensions: int
) -> None:
    """Delete vectors of other models, and those of this one in another size."""
    statement = delete(Embedding).where(
        Embedding.org_id == org_id,
        (Embedding.model != model) | (Embedding.dimensions != dimensions),
    )
    await session.execute(statement)


async def list_unembedded_organisations_for_system(
    session: Session, model: str
) -> Sequence[UUID]:
    """Return organisations with passages that have no vector of this model."""
    query = select(KnowledgeStats.org_id).where(
        KnowledgeStats.chunk_count > 0,
        (KnowledgeStats.dense_state != "ready")
        | KnowledgeStats.dense_model.is_distinct_from(model),
    )
    return (await session.scalars(query)).all()
