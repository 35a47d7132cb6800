"""Tables of products, their linked documents and their formula versions."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
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
    aliases: Mapped[list[str]] = mapped_column(
        JSONB, default_factory=list, server_default="[]"
    )
    """Other names of the product, by which its documents may call it."""
    exempt_materials: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, default_factory=list, server_default="[]"
    )
    """Raw materials that need no data of their own: name and reason."""
    updated_at: Mapped[datetime] = mapped_column(default_factory=now)
    archived_at: Mapped[datetime | None] = mapped_column(default=None)
    """Archived: not listed by default, and nothing about it can be changed."""


# The order and the condition of the usual list: it is counted in the index alone.
Index(
    "ix_products_org_id_created_at",
    Product.org_id,
    Product.created_at.desc(),
    Product.id.desc(),
    postgresql_where=Product.archived_at.is_(None),
)


class ProductDocument(TenantOwned, Identified, Base):
    """A document that is linked to an item, or to one requirement of it."""

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
    formula: Mapped[dict[str, str] | None] = mapped_column(
        JSONB(none_as_null=True), default=None
    )
    """Quantities by material when it was linked; null: no formula, or not known."""


class FormulaVersion(TenantOwned, Identified, Base):
    """A formula as one file states it; a version is never changed."""

    __tablename__ = "formula_versions"
    __table_args__ = tenant_args(
        UniqueConstraint(
            "org_id",
            "product_id",
            "number",
            name="uq_formula_versions_org_id_product_id_number",
        ),
        ForeignKeyConstraint(
            ["org_id", "product_id"],
            ["products.org_id", "products.id"],
            name="fk_formula_versions_org_id_product_id_products",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["org_id", "document_id"],
            ["documents.org_id", "documents.id"],
            name="fk_formula_versions_org_id_document_id_documents",
        ),
        Index("ix_formula_versions_org_id_document_id", "org_id", "document_id"),
    )

    product_id: Mapped[UUID]
    number: Mapped[int] = mapped_column(Integer)
    document_id: Mapped[UUID]
    filename: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    sheet: Mapped[str] = mapped_column(Text)
    encoding: Mapped[str | None] = mapped_column(Text)
    tolerance: Mapped[Decimal] = mapped_column(Numeric)
    total_lower: Mapped[Decimal] = mapped_column(Numeric)
    total_upper: Mapped[Decimal] = mapped_column(Numeric)
    line_count: Mapped[int] = mapped_column(Integer)
    content_sha256: Mapped[str] = mapped_column(String(64))
    header: Mapped[dict[str, Any]] = mapped_column(JSONB)
    units: Mapped[dict[str, Any]] = mapped_column(JSONB)
    notes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class FormulaLine(TenantOwned, Base):
    """One ingredient of a version, with the cells that state it."""

    __tablename__ = "formula_lines"
    __table_args__ = (
        ForeignKeyConstraint(
            ["org_id", "version_id"],
            ["formula_versions.org_id", "formula_versions.id"],
            name="fk_formula_lines_org_id_version_id_formula_versions",
            ondelete="CASCADE",
        ),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    version_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    phase: Mapped[str | None] = mapped_column(Text)
    trade_name: Mapped[str | None] = mapped_column(Text)
    supplier: Mapped[str | None] = mapped_column(Text)
    inci: Mapped[str | None] = mapped_column(Text)
    cas: Mapped[str | None] = mapped_column(Text)
    ec: Mapped[str | None] = mapped_column(Text)
    function: Mapped[str | None] = mapped_column(Text)
    percent_lower: Mapped[Decimal] = mapped_column(Numeric)
    percent_upper: Mapped[Decimal | None] = mapped_column(Numeric)
    percent_text: Mapped[str] = mapped_column(Text)
    is_qs: Mapped[bool]
    is_exploded: Mapped[bool]
    place: Mapped[dict[str, Any]] = mapped_column(JSONB)
    cells: Mapped[dict[str, Any]] = mapped_column(JSONB)
