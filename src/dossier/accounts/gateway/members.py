"""Queries on organisations, users and memberships."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import contains_eager

from dossier.accounts.constants import Role
from dossier.accounts.exceptions import EmailTakenError
from dossier.accounts.models import Membership, Organisation, User
from dossier.core.database import Session, conflict_on
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import ORG_ID, Row, TenantPage, TenantReader, TenantSelect

_USERS = (
    select(
        Membership.id,
        Membership.user_id,
        Membership.org_id,
        User.email,
        User.name,
        Membership.role,
        Membership.is_active,
        Membership.created_at,
    )
    .join(Membership.user)
    .where(Membership.org_id == ORG_ID)
)
_LIST = TenantPage(_USERS.order_by(Membership.created_at.desc(), Membership.id.desc()))
_ONE = TenantSelect(_USERS.where(Membership.user_id == bindparam("user_id")))


def _members(org_id: UUID) -> Select[Membership]:
    return (
        select(Membership)
        .join(Membership.user)
        .options(contains_eager(Membership.user))
        .where(Membership.org_id == org_id)
    )


async def list_users_for_org(
    reader: TenantReader, org_id: UUID, page: PageParams
) -> Slice[Row]:
    """Return one page of the members, the newest first."""
    return await reader.page(_LIST, org_id, page)


async def read_user_for_org(
    reader: TenantReader, org_id: UUID, user_id: UUID
) -> Row | None:
    """Return what clients see of one member."""
    return await reader.row(_ONE, org_id, user_id=user_id)


async def get_member_for_org(
    session: Session, org_id: UUID, user_id: UUID
) -> Membership | None:
    """Return one member with the user, or `None` if there is none here."""
    query = _members(org_id).where(Membership.user_id == user_id)
    return (await session.scalars(query)).one_or_none()


async def lock_member_for_org(session: Session, org_id: UUID, user_id: UUID) -> bool:
    """Tell whether a member is active, and stays so until the transaction ends."""
    query = (
        select(Membership.user_id)
        .where(
            Membership.org_id == org_id,
            Membership.user_id == user_id,
            Membership.is_active,
        )
        .with_for_update(read=True)
    )
    return (await session.scalar(query)) is not None


async def lock_owners_for_org(session: Session, org_id: UUID) -> list[UUID]:
    """Return who the active owners are, none of whom can change meanwhile."""
    query = (
        select(Membership.user_id)
        .where(
            Membership.org_id == org_id,
            Membership.role == Role.OWNER,
            Membership.is_active,
        )
        .order_by(Membership.id)
        .with_for_update()
    )
    return list(await session.scalars(query))


async def find_credentials_for_org(
    session: Session, org_id: UUID | None, email: str
) -> Membership | None:
    """Return the member of an e-mail address, in any organisation where it is `None`.

    Only log-in asks across organisations, in a system transaction.
    """
    query = (
        select(Membership)
        .join(Membership.user)
        .options(contains_eager(Membership.user))
        .where(User.email == email)
    )
    if org_id is not None:
        query = query.where(Membership.org_id == org_id)
    return (await session.scalars(query)).one_or_none()


async def get_organisation_for_org(
    session: Session, org_id: UUID
) -> Organisation | None:
    """Return the organisation itself."""
    query = select(Organisation).where(Organisation.id == org_id)
    return (await session.scalars(query)).one_or_none()


async def add_organisation(session: Session, organisation: Organisation) -> None:
    """Insert an organisation; needs a system transaction."""
    session.add(organisation)
    await session.flush()


async def add_member(session: Session, membership: Membership) -> None:
    """Insert a user with the membership; e-mail addresses are unique everywhere."""
    session.add(membership.user)
    with conflict_on("uq_users_email", EmailTakenError(membership.user.email)):
        await session.flush()
    session.add(membership)
    await session.flush()


async def mark_user_for_org(
    session: Session, org_id: UUID, user_id: UUID, changes: dict[str, Any]
) -> None:
    """Change a member's own data; the new e-mail address may be taken."""
    is_member = exists().where(
        Membership.user_id == User.id, Membership.org_id == org_id
    )
    statement = update(User).where(User.id == user_id, is_member).values(changes)
    with conflict_on("uq_users_email", EmailTakenError(changes.get("email", ""))):
        await session.execute(
            statement, execution_options={"synchronize_session": "fetch"}
        )


async def add_local_owner(
    session: Session, organisation: Organisation, membership: Membership
) -> bool:
    """Insert the one organisation of open mode, unless another process just did.

    The other one's is committed when we return, and ours is then not made.
    """
    user = membership.user
    rows: tuple[tuple[type[Organisation | User | Membership], dict[str, object]], ...]
    rows = (
        (Organisation, _values(organisation, "id", "created_at", "name", "kind")),
        (
            User,
            _values(
                user, "id", "created_at", "email", "name", "credentials_changed_at"
            ),
        ),
        (
            Membership,
            _values(membership, "id", "created_at", "org_id", "role", "is_active")
            | {"user_id": user.id},
        ),
    )
    made: list[UUID] = []
    for table, values in rows:
        statement = insert(table).values(values).on_conflict_do_nothing()
        made += await session.scalars(statement.returning(table.id))
    return bool(made)


def _values(row: object, *names: str) -> dict[str, object]:
    return {name: getattr(row, name) for name in names}
