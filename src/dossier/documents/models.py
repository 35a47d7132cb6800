"""Tables `documents`, `document_texts` and `document_citations`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from dossier.core.models import Base, Identified, TenantOwned, tenant_args
from dossier.documents.constants import TextState


class Document(TenantOwned, Identified, Base):
    """An uploaded file, unchanged; the same bytes exist once in an organisation."""

    __tablename__ = "documents"
    __table_args__ = tenant_args(
        UniqueConstraint("org_id", "sha256"),
        CheckConstraint(
            "text_state in ('pending', 'read', 'read_partly', 'unreadable')",
            name="text_state",
        ),
        Index(
            "ix_documents_org_id_created_at",
            "org_id",
            text("created_at desc"),
            text("id desc"),
        ),
    )

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    filename: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    is_misnamed: Mapped[bool]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    blob_key: Mapped[str] = mapped_column(Text)
    uploaded_by: Mapped[UUID | None] = mapped_column(default=None)
    text_state: Mapped[str] = mapped_column(Text, default=TextState.PENDING)
    unreadable_reason: Mapped[str | None] = mapped_column(Text, default=None)
    """Why nothing was read, or what was not read of a document that is read partly."""
    unreadable_detail: Mapped[str | None] = mapped_column(Text, default=None)
    reading_warnings: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, default_factory=list, server_default="[]"
    )
    """What was left out or not read: code, message (zh, en), place, is_gap."""
    record: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), default=None
    )
    """Kind and facts, written by `documents.facts.record`; null: they were not read."""
    page_count: Mapped[int | None] = mapped_column(default=None)
    encoding: Mapped[str | None] = mapped_column(Text, default=None)
    revision: Mapped[int] = mapped_column(default=1, server_default="1")
    """Increased with each change of what is indexed: text, links, archive state."""
    archived_at: Mapped[datetime | None] = mapped_column(default=None)
    """Archived: neither listed, searched nor evidence."""


class DocumentText(TenantOwned, Base):
    """The text of one page, sheet or stretch of a document."""

    __tablename__ = "document_texts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["org_id", "document_id"],
            ["documents.org_id", "documents.id"],
            ondelete="CASCADE",
        ),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    label: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    has_text_layer: Mapped[bool]


class DocumentCitation(TenantOwned, Base):
    """A version that cites a document, which can then not be deleted."""

    __tablename__ = "document_citations"
    __table_args__ = (
        # No cascade: of a citation and a deletion at the same time, one must fail.
        ForeignKeyConstraint(
            ["org_id", "document_id"], ["documents.org_id", "documents.id"]
        ),
        CheckConstraint("kind in ('pif_version', 'formula')", name="kind"),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    citing_id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID]
    number: Mapped[int]
    """Number of the version that cites."""
