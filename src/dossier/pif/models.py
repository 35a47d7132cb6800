"""Tables `pif_decisions` and `pif_versions`."""

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
    """A person's statement that a document meets a requirement.

    It counts for the bytes with this SHA-256 only.
    """

    __tablename__ = "pif_confirmations"
    __table_args__ = tenant_args(
        UniqueConstraint("product_id", "market", "requirement"),
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
    )

    product_id: Mapped[UUID]
    market: Mapped[str] = mapped_column(Text)
    item: Mapped[int] = mapped_column(SmallInteger)
    requirement: Mapped[str] = mapped_column(Text)
    document_id: Mapped[UUID]
    sha256: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(Text)
    confirmed_on: Mapped[date]


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
