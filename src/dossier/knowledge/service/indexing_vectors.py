"""What an organisation's passages look like to a model: begin, add, finish."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from dossier.core.database import Session
from dossier.core.tenancy import Actor
from dossier.knowledge.constants import DenseState
from dossier.knowledge.gateway import chunks, vectors
from dossier.knowledge.rules.preparing import indexed_text


@dataclass(frozen=True, slots=True)
class Bare:
    """A passage without a vector, and what is to be embedded of it."""

    id: UUID
    content_sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class Sight:
    """A model as it was probed."""

    model: str
    dimensions: int
    languages: tuple[str, ...]


class VectorsService:
    """The vectors of one organisation."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._org_id = actor.org_id

    async def dimensions_of(self, model: str) -> int | None:
        """Return the size that is kept of this model; `None`: it is another one."""
        stats = await chunks.get_stats_for_org(self._session, self._org_id)
        if stats is None or stats.dense_model != model:
            return None
        return stats.dense_dimensions

    async def begin(self, sight: Sight) -> None:
        """Turn to a model; until all passages are embedded, search is lexical."""
        await chunks.lock_stats_for_org(self._session, self._org_id)
        await vectors.delete_other_vectors_for_org(
            self._session, self._org_id, sight.model, sight.dimensions
        )
        await chunks.set_stats_for_org(
            self._session,
            self._org_id,
            dense_state=DenseState.BUILDING,
            dense_model=sight.model,
            dense_dimensions=sight.dimensions,
            dense_languages=list(sight.languages),
        )

    async def reuse(self, model: str, dimensions: int) -> None:
        """Give passages the vectors of others with the same content: no call."""
        await chunks.lock_stats_for_org(self._session, self._org_id)
        await vectors.reuse_vectors_for_org(
            self._session, self._org_id, model, dimensions
        )

    async def next_bare(self, model: str, limit: int, after: UUID) -> list[Bare]:
        """Return the next passages to embed."""
        rows = await vectors.list_bare_chunks_for_org(
            self._session, self._org_id, model, limit, after=after
        )
        return [
            Bare(row.id, row.content_sha256, indexed_text(row.context, row.text))
            for row in rows
        ]

    async def add(
        self, model: str, dimensions: int, bare: Sequence[Bare], found: Sequence[str]
    ) -> None:
        """Keep vectors, unless the model was exchanged or a passage changed since."""
        stats = await chunks.lock_stats_for_org(self._session, self._org_id)
        if (stats.dense_model, stats.dense_dimensions) != (model, dimensions):
            return
        await vectors.add_vectors(
            self._session,
            self._org_id,
            model=model,
            dimensions=dimensions,
            ids=[each.id for each in bare],
            hashes=[each.content_sha256 for each in bare],
            vectors=list(found),
        )

    async def finish(self, model: str) -> bool:
        """Say that all passages are embedded; `False` where one is not."""
        stats = await chunks.lock_stats_for_org(self._session, self._org_id)
        left = await vectors.list_bare_chunks_for_org(
            self._session, self._org_id, model, 1, after=UUID(int=0)
        )
        if left or stats.dense_model != model:
            return False
        await chunks.set_stats_for_org(
            self._session, self._org_id, dense_state=DenseState.READY
        )
        return True
