"""Tables of passages, their terms and their vectors.

Triggers of the migration keep `knowledge_terms` and the sums in `knowledge_stats`
exact whatever inserts or removes passages, a document's deletion included.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import HALFVEC, SPARSEVEC
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from dossier.core.clock import now
from dossier.core.models import Base, Identified, TenantOwned, tenant_args
from dossier.knowledge.constants import INDEXED_DIMENSIONS, DenseState
from dossier.knowledge.rules.weights import DIMENSIONS


class Chunk(TenantOwned, Identified, Base):
    """One passage of a document, with its BM25 weight of each term."""

    __tablename__ = "knowledge_chunks"
    __table_args__ = tenant_args(
        UniqueConstraint(
            "org_id",
            "document_id",
            "position",
            name="uq_knowledge_chunks_org_id_document_id_position",
            deferrable=True,
            initially="DEFERRED",
        ),
        ForeignKeyConstraint(
            ["org_id", "document_id"],
            ["documents.org_id", "documents.id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("kind in ('text', 'table')", name="kind"),
        CheckConstraint("position >= 1", name="position"),
        Index(
            "ix_knowledge_chunks_keys",
            text("knowledge_keys(org_id, terms)"),
            postgresql_using="gin",
        ),
    )

    document_id: Mapped[UUID]
    position: Mapped[int] = mapped_column(Integer)
    """Place in the document, from 1."""
    page: Mapped[int] = mapped_column(Integer)
    """Position of the part of the text in which the passage begins."""
    label: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    """The shown text; the document has its pieces verbatim."""
    context: Mapped[str] = mapped_column(Text)
    """Indexed with the text and never shown."""
    places: Mapped[list[dict[str, Any]]]
    """The place of each piece: `{page, label, start, end, box}`."""
    language: Mapped[str] = mapped_column(Text)
    """`zh`, `en` or `other`."""
    content_sha256: Mapped[str] = mapped_column(String(64))
    """Of the indexed and embedded text: the context and the text."""
    analyser_version: Mapped[int] = mapped_column(Integer)
    length_terms: Mapped[int] = mapped_column(Integer)
    terms: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    """Ids of its terms, each once, ascending."""
    sparse: Mapped[Any] = mapped_column(SPARSEVEC(DIMENSIONS))
    """BM25 weight of each term; those of a question are inverse frequencies."""


class IndexedDocument(TenantOwned, Base):
    """Which revision of a document has been indexed; no row before the first."""

    __tablename__ = "knowledge_documents"
    __table_args__ = (
        ForeignKeyConstraint(
            ["org_id", "document_id"],
            ["documents.org_id", "documents.id"],
            ondelete="CASCADE",
        ),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(Integer)
    """The document's `revision` that was indexed."""
    analyser_version: Mapped[int] = mapped_column(Integer)
    chunk_count: Mapped[int] = mapped_column(Integer)
    indexed_at: Mapped[datetime] = mapped_column(default_factory=now)


class TermCount(TenantOwned, Base):
    """How many of an organisation's passages hold a term."""

    __tablename__ = "knowledge_terms"
    __table_args__ = (
        ForeignKeyConstraint(["org_id"], ["organisations.id"], ondelete="CASCADE"),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    analyser_version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    term_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    chunk_count: Mapped[int] = mapped_column(Integer)


class KnowledgeStats(TenantOwned, Base):
    """Sums over an organisation's passages, and the state of its vectors."""

    __tablename__ = "knowledge_stats"

    org_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisations.id", ondelete="CASCADE"), primary_key=True
    )
    chunk_count: Mapped[int] = mapped_column(Integer, default=0)
    total_terms: Mapped[int] = mapped_column(BigInteger, default=0)
    average_terms: Mapped[float | None] = mapped_column(Float, default=None)
    """Average length of the current weights; pinned until they are recomputed."""
    analyser_version: Mapped[int | None] = mapped_column(Integer, default=None)
    corpus_version: Mapped[int] = mapped_column(BigInteger, default=0)
    """Incremented by each change of what a search can find."""
    dense_state: Mapped[str] = mapped_column(Text, default=DenseState.NONE)
    dense_model: Mapped[str | None] = mapped_column(Text, default=None)
    dense_dimensions: Mapped[int | None] = mapped_column(Integer, default=None)
    dense_languages: Mapped[list[str]] = mapped_column(default_factory=list)
    """Languages that the model distinguishes."""


class Embedding(TenantOwned, Base):
    """A passage's vector by one model, of length one: inner product is cosine."""

    __tablename__ = "knowledge_embeddings"
    __table_args__ = (
        ForeignKeyConstraint(
            ["org_id", "chunk_id"],
            ["knowledge_chunks.org_id", "knowledge_chunks.id"],
            ondelete="CASCADE",
        ),
        Index(
            "ix_knowledge_embeddings_content",
            "org_id",
            "model",
            "content_sha256",
        ),
        *(
            Index(
                f"ix_knowledge_embeddings_hnsw_{size}",
                literal_column(f"(vector::halfvec({size}))").label("unit"),
                postgresql_using="hnsw",
                postgresql_ops={"unit": "halfvec_ip_ops"},
                postgresql_with={"m": 16, "ef_construction": 64},
                postgresql_where=text(f"dimensions = {size}"),
            )
            for size in INDEXED_DIMENSIONS
        ),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    chunk_id: Mapped[UUID] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(Text, primary_key=True)
    dimensions: Mapped[int] = mapped_column(Integer)
    content_sha256: Mapped[str] = mapped_column(String(64))
    vector: Mapped[Any] = mapped_column(HALFVEC())
