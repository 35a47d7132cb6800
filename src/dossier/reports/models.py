"""The table of reports."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dossier.core.models import Base, Identified, TenantOwned, tenant_args


class Report(TenantOwned, Identified, Base):
    """The printed form of one version; its state is that of its job.

    `files` maps each `ReportFile` to {key, sha256, size_bytes, filename}; it is `None`
    until all of them are stored.
    """

    __tablename__ = "reports"
    __table_args__ = tenant_args(
        UniqueConstraint("org_id", "version_id"),
        ForeignKeyConstraint(
            ["org_id", "product_id"], ["products.org_id", "products.id"]
        ),
        ForeignKeyConstraint(
            ["org_id", "version_id"], ["pif_versions.org_id", "pif_versions.id"]
        ),
        Index(
            "ix_reports_org_id_created_at",
            "org_id",
            text("created_at desc"),
            text("id desc"),
        ),
        Index("ix_reports_org_id_product_id", "org_id", "product_id"),
    )

    product_id: Mapped[UUID]
    version_id: Mapped[UUID]
    version_number: Mapped[int]
    market: Mapped[str] = mapped_column(String(8))
    job_id: Mapped[UUID | None] = mapped_column(default=None)
    files: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    page_count: Mapped[int | None] = mapped_column(default=None)
    rendered_at: Mapped[datetime | None] = mapped_column(default=None)
