"""Tables of organisations, users, memberships and API keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    desc,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dossier.accounts import rules
from dossier.accounts.constants import OrganisationKind, Role
from dossier.core.clock import now
from dossier.core.models import Base, Identified, TenantOwned, tenant_args


class Organisation(Identified, Base):
    """A company that keeps product information files."""

    __tablename__ = "organisations"

    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[OrganisationKind] = mapped_column(String(32))


class User(Identified, Base):
    """A person who logs in; belongs to organisations through memberships.

    `email` is stored folded, so that it is unique whatever its case.
    """

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("email"),)

    email: Mapped[str] = mapped_column(String(320))
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str | None] = mapped_column(String(200), repr=False)
    credentials_changed_at: Mapped[datetime] = mapped_column(default_factory=now)


class Membership(TenantOwned, Identified, Base):
    """The role of one user in one organisation; one per user for now."""

    __tablename__ = "memberships"
    __table_args__ = tenant_args(
        UniqueConstraint("user_id"),
        UniqueConstraint("org_id", "user_id"),
        Index(
            "ix_memberships_org_id_created_at",
            "org_id",
            desc("created_at"),
            desc("id"),
        ),
    )

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), init=False)
    role: Mapped[Role] = mapped_column(String(16))
    user: Mapped[User] = relationship(lazy="raise")
    is_active: Mapped[bool] = mapped_column(default=True)

    @property
    def email(self) -> str:
        """The member's e-mail address."""
        return self.user.email

    @property
    def name(self) -> str:
        """The member's name."""
        return self.user.name


class ApiKey(TenantOwned, Identified, Base):
    """A key that acts in the name of the member who made it.

    Of the token only the digest of its secret part is kept. The row outlives the key:
    the ledger and the activity log name it.
    """

    __tablename__ = "api_keys"
    __table_args__ = tenant_args(
        ForeignKeyConstraint(
            ["org_id", "user_id"],
            ["memberships.org_id", "memberships.user_id"],
            ondelete="CASCADE",
        ),
        CheckConstraint(
            "cardinality(scopes) > 0 and scopes <@ array['read', 'write', 'admin']",
            name="scopes",
        ),
        Index("ix_api_keys_listed", "org_id", desc("created_at"), desc("id")),
        Index("ix_api_keys_user_id", "org_id", "user_id"),
    )

    user_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(200))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret_sha256: Mapped[str] = mapped_column(String(64), repr=False)
    expires_at: Mapped[datetime | None] = mapped_column(default=None)
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)

    @property
    def prefix(self) -> str:
        """The beginning of its token, by which people recognise it; not secret."""
        return rules.token_prefix(self.id)
