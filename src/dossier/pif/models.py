"""Tables of decisions, confirmations, versions and days of findings."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from dossier.core.models import Base, Identified, TenantOwned, tenant_args


class PifDecision(TenantOwned, Identified, Base):
    """A waiver or a declaration for one item of a product's file."""

    __tablename__ = "pif_decisions"
    __table_args__ = tenant_args(
        UniqueConstraint("product_id", "market", "item"),
        ForeignKeyConstraint(
            ["org_id", "product_id"],
            ["products.org_id", "products.id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("kind in ('waiver', 'declaration')", name="kind"),
    )

    product_id: Mapped[UUID]
    market: Mapped[str] = mapped_column(Text)
    item: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(Text)


class PifConfirmation(TenantOwned, Identified, Base):
    """A person's statement that a document meets an item or a requirement of it.

    `sha256` is that of the document's bytes which the person saw; `is_stated` marks
    what stands in a folder's `product.yaml`, which each build states anew.
    """

    __tablename__ = "pif_confirmations"
    __table_args__ = tenant_args(
        UniqueConstraint(
            "product_id",
            "market",
            "item",
            "requirement",
            "document_id",
            name="uq_pif_confirmations_target",
            postgresql_nulls_not_distinct=True,
        ),
        ForeignKeyConstraint(
            ["org_id", "product_id"],
            ["products.org_id", "products.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["org_id", "document_id"],
            ["documents.org_id", "documents.id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("item between 1 and 16", name="item"),
    )

    product_id: Mapped[UUID]
    market: Mapped[str] = mapped_column(Text)
    item: Mapped[int] = mapped_column(SmallInteger)
    requirement: Mapped[str | None] = mapped_column(Text)
    document_id: Mapped[UUID]
    sha256: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text)
    is_stated: Mapped[bool]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(Text)
    formula: Mapped[str | None] = mapped_column(Text, default=None)


class PifFindingDay(TenantOwned, Base):
    """The day on which a finding of a product was first seen."""

    __tablename__ = "pif_finding_days"
    __table_args__ = (
        ForeignKeyConstraint(
            ["org_id", "product_id"],
            ["products.org_id", "products.id"],
            ondelete="CASCADE",
        ),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(primary_key=True)
    market: Mapped[str] = mapped_column(Text, primary_key=True)
    finding_id: Mapped[str] = mapped_column(Text, primary_key=True)
    since: Mapped[date]


class PifVersion(TenantOwned, Identified, Base):
    """An immutable snapshot of a product's file; `sha256` is that of its content."""

    __tablename__ = "pif_versions"
    __table_args__ = tenant_args(
        UniqueConstraint("product_id", "market", "number"),
        UniqueConstraint("product_id", "market", "sha256"),
        ForeignKeyConstraint(
            ["org_id", "product_id"], ["products.org_id", "products.id"]
        ),
    )

    product_id: Mapped[UUID]
    market: Mapped[str] = mapped_column(Text)
    number: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    snapshot: Mapped[dict[str, Any]]
