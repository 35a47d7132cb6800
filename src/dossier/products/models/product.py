"""Tables `products` and `product_documents`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from dossier.core.clock import now
from dossier.core.models import Base, Identified, TenantOwned, tenant_args


class Product(TenantOwned, Identified, Base):
    """A cosmetic product as the brand states it."""

    __tablename__ = "products"
    __table_args__ = tenant_args(
        UniqueConstraint("org_id", "identity_key"),
        ForeignKeyConstraint(["org_id"], ["organisations.id"]),
        CheckConstraint("use in ('leave_on', 'rinse_off')", name="use"),
    )

    identity_key: Mapped[str] = mapped_column(String(64))
    code: Mapped[str | None] = mapped_column(Text)
    name_zh: Mapped[str | None] = mapped_column(Text)
    name_en: Mapped[str | None] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    dosage_form: Mapped[str | None] = mapped_column(Text)
    use: Mapped[str] = mapped_column(Text)
    body_site: Mapped[str | None] = mapped_column(Text)
    population: Mapped[str | None] = mapped_column(Text)
    intended_use: Mapped[str | None] = mapped_column(Text)
    usage: Mapped[dict[str, Any]]
    sites: Mapped[list[dict[str, Any]]]
    holder: Mapped[dict[str, Any]]
    markets: Mapped[list[str]]
    updated_at: Mapped[datetime] = mapped_column(default_factory=now)


# The order of every list, so that a page is read from the index alone.
Index(
    "ix_products_org_id_created_at",
    Product.org_id,
    Product.created_at.desc(),
    Product.id.desc(),
)


class ProductDocument(TenantOwned, Identified, Base):
    """A paper that serves an item, or one requirement of it."""

    __tablename__ = "product_documents"
    __table_args__ = tenant_args(
        UniqueConstraint(
            "product_id",
            "document_id",
            "item",
            "requirement",
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
        Index("ix_product_documents_org_id_product_id", "org_id", "product_id"),
        Index("ix_product_documents_org_id_document_id", "org_id", "document_id"),
    )

    product_id: Mapped[UUID]
    document_id: Mapped[UUID]
    item: Mapped[int] = mapped_column(SmallInteger)
    requirement: Mapped[str | None] = mapped_column(Text)
    matched_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
