"""Vectors of an organisation's passages by one model: begin, add, finish."""

from collections.abc import Sequence
from uuid import UUID

from dossier.core.database import Session
from dossier.core.tenancy import Actor
from dossier.knowledge.constants import DenseState
from dossier.knowledge.gateway import indexing, vectors
from dossier.knowledge.rules.preparing import indexed_text
from dossier.knowledge.types import ProbedModel, UnembeddedChunk


class VectorsService:
    """The vectors of one organisation."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._org_id = actor.org_id

    async def dimensions_of(self, model: str) -> int | None:
        """Return the size of the stored vectors; `None`: they are of another model."""
        stats = await indexing.get_stats_for_org(self._session, self._org_id)
        if stats is None or stats.dense_model != model:
            return None
        return stats.dense_dimensions

    async def begin(self, model: ProbedModel) -> None:
        """Switch to a model; until all passages are embedded, search is lexical."""
        await indexing.lock_stats_for_org(self._session, self._org_id)
        await vectors.delete_other_vectors_for_org(
            self._session, self._org_id, model.model, model.dimensions
        )
        await indexing.set_stats_for_org(
            self._session,
            self._org_id,
            dense_state=DenseState.BUILDING,
            dense_model=model.model,
            dense_dimensions=model.dimensions,
            dense_languages=list(model.languages),
        )

    async def reuse(self, model: str, dimensions: int) -> None:
        """Copy to passages the vectors of others with the same content."""
        await indexing.lock_stats_for_org(self._session, self._org_id)
        await vectors.reuse_vectors_for_org(
            self._session, self._org_id, model, dimensions
        )

    async def next_unembedded(
        self, model: str, limit: int, after: UUID
    ) -> list[UnembeddedChunk]:
        """Return the next passages to embed."""
        rows = await vectors.list_unembedded_chunks_for_org(
            self._session, self._org_id, model, limit, after=after
        )
        return [
            UnembeddedChunk(
                row.id, row.content_sha256, indexed_text(row.context, row.text)
            )
            for row in rows
        ]

    async def add(
        self,
        model: str,
        dimensions: int,
        chunks: Sequence[UnembeddedChunk],
        found: Sequence[str],
    ) -> None:
        """Store vectors, unless the model or a passage changed meanwhile."""
        stats = await indexing.lock_stats_for_org(self._session, self._org_id)
        if (stats.dense_model, stats.dense_dimensions) != (model, dimensions):
            return
        await vectors.add_vectors(
            self._session,
            self._org_id,
            model=model,
            dimensions=dimensions,
            ids=[each.id for each in chunks],
            hashes=[each.content_sha256 for each in chunks],
            vectors=list(found),
        )

    async def finish(self, model: str) -> bool:
        """Set the vectors ready; `False` where a passage has none."""
        stats = await indexing.lock_stats_for_org(self._session, self._org_id)
        left = await vectors.list_unembedded_chunks_for_org(
            self._session, self._org_id, model, 1, after=UUID(int=0)
        )
        if left or stats.dense_model != model:
            return False
        await indexing.set_stats_for_org(
            self._session, self._org_id, dense_state=DenseState.READY
        )
        return True
