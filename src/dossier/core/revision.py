"""The revision of a database, and the one that this version needs.

Reads both without Alembic, whose import costs a tenth of a second at every start.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import asyncpg
from sqlalchemy.exc import DBAPIError

from dossier.core.database import (
    APP_ROLE,
    OWNER_ROLE,
    SYSTEM_ROLE,
    UNREACHABLE,
    asyncpg_url,
)
from dossier.core.errors import AppError

ROLES = (OWNER_ROLE, APP_ROLE, SYSTEM_ROLE)
MAY_ACT_AS = (
    "pg_has_role(session_user, {role}, case when"
    " current_setting('server_version_num')::int < 160000 then 'member' else 'set' end)"
)
"""SQL: whether the log-in may take a role; PostgreSQL 15 has no word for just that."""

CONNECT_TIMEOUT_S = 10
_REVISION = re.compile(r'^(down_)?revision = "(.+)"$', re.MULTILINE)
_IS_PREPARED = f"""
select to_regclass('public.alembic_version') is not null
   and (select count(*) = {len(ROLES)} from pg_roles
        where rolname = any($1::text[]) and {MAY_ACT_AS.format(role="oid")})
   and ($2::text is null or exists (select from pg_roles where rolname = $2))
"""  # noqa: S608 - constants
_READ = "select version_num from public.alembic_version"


class DatabaseNotReadyError(AppError):
    """The database cannot be used as it is."""

    status = 503
    title = "Database not ready"


def migrations_folder() -> Path:
    """Return the folder of the migrations, installed or in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_migrations"
    return installed if installed.is_dir() else package.parents[1] / "migrations"


@cache
def head_revision() -> str:
    """Return the newest revision that this version of Dossier knows."""
    names: dict[bool, set[str]] = {True: set(), False: set()}
    for path in (migrations_folder() / "versions").glob("*.py"):
        for down, name in _REVISION.findall(path.read_text(encoding="utf-8")):
            names[bool(down)].add(name)
    heads = names[False] - names[True]
    if len(heads) != 1:
        message = f"The migrations do not end in one revision but in {sorted(heads)}."
        raise DatabaseNotReadyError(message)
    return heads.pop()


async def is_at_head(url: str, *, login: str | None = None) -> bool:
    """Return whether a database has the roles, a log-in and the revision we need."""
    with reaching():
        connection = await asyncpg.connect(asyncpg_url(url), timeout=CONNECT_TIMEOUT_S)
    try:
        if not await connection.fetchval(_IS_PREPARED, list(ROLES), login):
            return False
        await connection.execute(f"set role {OWNER_ROLE}")
        return bool(await connection.fetchval(_READ) == head_revision())
    finally:
        await connection.close()


@contextmanager
def reaching() -> Iterator[None]:
    """Turn connection errors into `DatabaseNotReadyError`."""
    try:
        yield
    except (*UNREACHABLE, DBAPIError) as exc:
        cause = getattr(exc, "orig", None) or exc
        reason = f"It cannot be reached: {type(cause).__name__}: {cause}".rstrip(": ")
        message = f"{reason}. `dossier doctor` says more."
        raise DatabaseNotReadyError(message) from exc
