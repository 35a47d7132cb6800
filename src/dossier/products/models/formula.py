"""Tables `formula_versions` and `formula_lines`; rows are never changed."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from dossier.core.models import Base, Identified, TenantOwned, tenant_args


class FormulaVersion(TenantOwned, Identified, Base):
    """A formula as one file states it."""

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
