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
    text,
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


class User(TenantOwned, Identified, Base):
    """A person's account in one organisation; another organisation has its own.

    `email` is stored folded, so that it is unique whatever its case: in the
    organisation, and in all of them where `has_unique_email` (ADR 0036).
    """

    __tablename__ = "users"
    __table_args__ = tenant_args(
        UniqueConstraint("org_id", "email"),
        Index(
            "uq_users_email",
            "email",
            unique=True,
            postgresql_where=text("has_unique_email"),
        ),
    )

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), init=False)
    email: Mapped[str] = mapped_column(String(320))
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str | None] = mapped_column(String(200), repr=False)
    credentials_changed_at: Mapped[datetime] = mapped_column(default_factory=now)
    has_unique_email: Mapped[bool] = mapped_column(default=True)
    """Whether the address alone names the account at log-in. Only operators make such
    accounts: to refuse a member's wish for an address would show that it is taken."""


class Membership(TenantOwned, Identified, Base):
    """The role of a user in the organisation; one per user."""

    __tablename__ = "memberships"
    __table_args__ = tenant_args(
        UniqueConstraint("user_id"),
        UniqueConstraint("org_id", "user_id"),
        ForeignKeyConstraint(["org_id", "user_id"], ["users.org_id", "users.id"]),
        Index(
            "ix_memberships_org_id_created_at",
            "org_id",
            desc("created_at"),
            desc("id"),
        ),
    )

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    user_id: Mapped[UUID] = mapped_column(init=False)
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


class Invitation(TenantOwned, Identified, Base):
    """An invitation to become a member; deleted when it is accepted or revoked.

    It is in force until it expires, and while who invited may still make users.
    """

    __tablename__ = "invitations"
    __table_args__ = tenant_args(
        UniqueConstraint("org_id", "email"),
        UniqueConstraint("token_sha256"),
        ForeignKeyConstraint(
            ["org_id", "invited_by"],
            ["memberships.org_id", "memberships.user_id"],
            ondelete="CASCADE",
        ),
    )

    email: Mapped[str] = mapped_column(String(320))
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[Role] = mapped_column(String(16))
    invited_by: Mapped[UUID]
    token_sha256: Mapped[str] = mapped_column(String(64), repr=False)
    expires_at: Mapped[datetime]


class LoginCount(Base):
    """Wrong passwords of an account, an address, or an account from an address.

    `key` is a digest: what people type as an address is not stored. Of the third kind
    there is a row only after a log-in that succeeded.
    """

    __tablename__ = "login_counts"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    failed_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


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
