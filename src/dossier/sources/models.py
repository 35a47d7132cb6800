"""Tables of sources' answers, rates of hosts, and the central service."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dossier.core.clock import now
from dossier.core.models import Base, Identified, TenantOwned, tenant_args


class SourceAnswer(TenantOwned, Identified, Base):
    """The answer of one source to one request; "nothing found" is one as well.

    A later answer that differs is another row, so that what was relied on stays.
    `fetched_at` is the latest instant at which the source gave this answer.
    """

    __tablename__ = "source_answers"
    __table_args__ = tenant_args(
        UniqueConstraint(
            "org_id",
            "source",
            "fingerprint",
            "sha256",
            "parser_version",
            name="uq_source_answers_answer",
        ),
        Index(
            "ix_source_answers_org_id_source_fingerprint_fetched_at",
            "org_id",
            "source",
            "fingerprint",
            text("fetched_at desc"),
        ),
    )

    source: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(String(64))
    url: Mapped[str] = mapped_column(Text)
    status: Mapped[int]
    is_found: Mapped[bool]
    sha256: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str | None] = mapped_column(Text)
    body: Mapped[bytes] = mapped_column(LargeBinary, repr=False)
    parser_version: Mapped[str] = mapped_column(String(64))
    fetched_at: Mapped[datetime] = mapped_column(default_factory=now)


class SourceRate(Base):
    """When a host may be called next, by any process; of no organisation."""

    __tablename__ = "source_rates"

    host: Mapped[str] = mapped_column(String(255), primary_key=True)
    next_at: Mapped[datetime]


class CentralBase(TenantOwned, Identified, Base):
    """A product's knowledge base in the central retrieval service.

    `remote_id` is that service's id of it; no client ever states it. Products lie above
    this domain, hence `product_id` has no foreign key.
    """

    __tablename__ = "central_bases"
    __table_args__ = tenant_args(UniqueConstraint("org_id", "product_id"))

    product_id: Mapped[UUID]
    remote_id: Mapped[str] = mapped_column(Text)


class CentralCopy(TenantOwned, Base):
    """A document that a product's base in the central retrieval service holds.

    `revision` is the document's when it was pushed; one that differs is pushed again.
    No foreign key: the copy outlives the document until it has been removed there.
    """

    __tablename__ = "central_copies"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int]
