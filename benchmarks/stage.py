"""What the benchmarks are played on: a database of its own, two organisations."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
from argon2 import PasswordHasher

from dossier.core import migrate
from dossier.core.embedded.cluster import embedded_postgres

SMALL = UUID("018f0000-0000-7000-8000-0000000000c1")
LARGE = UUID("018f0000-0000-7000-8000-0000000000c2")
PASSWORD = "bench-password-1234"  # noqa: S105 - protects nothing
SMALL_ROWS = 200
LARGE_ROWS = 100_000

# The settings that the product itself hashes with.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

_ORGANISATION = """
insert into organisations (id, created_at, name, kind) values ($1, now(), $2, 'brand')
"""
_USER = """
insert into users (id, created_at, email, name, password_hash, credentials_changed_at)
values ($1, now(), $2, 'Bench', $3, now())
"""
_MEMBERSHIP = """
insert into memberships (id, created_at, org_id, user_id, role, is_active)
values (uuidv7(), now(), $1, $1, 'owner', true)
"""
_PRODUCTS = """
insert into products (id, created_at, updated_at, org_id, identity_key, code, name_zh,
  name_en, category, use, usage, sites, holder, markets)
select uuidv7(), now() - n * interval '1 second', now(), $1, 'bench-' || n,
  'B-' || n, '玫瑰面霜 ' || n, 'Rose Cream ' || n, 'face_cream', 'leave_on',
  '{"method": "Spread over the face.", "amount": "0.8 g", "frequency": "2 a day"}',
  '[{"step": "filling", "name": "Chengyu", "address": "Taoyuan", "country": "TW"}]',
  '{"name": "Jiyue", "address": "Taipei", "phone": "02-5550-0100"}', '["tw"]'
from generate_series(1, $2::int) as n
"""
_DOCUMENTS = """
insert into documents (id, created_at, org_id, sha256, filename, media_type,
  is_misnamed, size_bytes, blob_key, text_state, page_count)
select uuidv7(), now() - n * interval '1 second', $1, lpad(to_hex(n), 64, '0'),
  'paper-' || n || '.pdf', 'application/pdf', false, 1000 + n, 'bench/' || n, 'read', 4
from generate_series(1, $2::int) as n
"""
_LINKS = """
insert into product_documents (id, created_at, org_id, product_id, document_id, item,
  requirement, matched_by, reason)
select uuidv7(), now(), $1, product.id, document.id, document.item, null, 'user', null
from (select id from products where org_id = $1 order by created_at desc limit 1)
  as product,
  (select id, row_number() over (order by id) as item from documents
    where org_id = $1 limit 8) as document
"""
_EVENTS = """
insert into activity_events (id, created_at, org_id, user_id, actor_name, action,
  entity_type, entity_id, status, details, address, user_agent, request_id, row_hash)
select uuidv7(), now() - n * interval '1 second', $1, $1, 'Bench', 'create', 'product',
  uuidv7()::text, 'success', '{"category": "face_cream"}', '127.0.0.1', 'bench', null,
  lpad(to_hex(n), 64, '0')
from generate_series(1, $2::int) as n
"""
_PROFILE = """
insert into chat_profiles (id, created_at, org_id, user_id, display_name, preferences)
values ($1, now(), $1, $1, 'Bench', '{}')
"""
_ROOMS = """
with rooms as (
  insert into chat_rooms (id, created_at, org_id, kind, title, created_by, active_at)
  select uuidv7(), now(), $1, 'private', 'Room ' || n, $1,
    now() - n * interval '1 second'
  from generate_series(1, $2::int) as n returning id)
insert into chat_members (id, created_at, org_id, room_id, profile_id, role)
select uuidv7(), now(), $1, id, $1, 'owner' from rooms
"""
_USUAL_ITEMS = """
insert into usual_items (id, created_at, updated_at, owner_id, code, name_zh, name_en,
  category, use, usage, sites, holder, markets)
select gen_random_uuid(), created_at, updated_at, org_id, code, name_zh, name_en,
  category, use, usage, sites, holder, markets
from products where org_id = $1 limit $2
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running database and the environment of the servers on it."""

    url: str
    home: Path

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[asyncpg.Connection]:
        """Yield a connection that no row security holds back."""
        connection = await asyncpg.connect(self.url)
        try:
            yield connection
        finally:
            await connection.close()

    def env(self, **more: str) -> dict[str, str]:
        """Return the variables of a server: nothing is limited, nothing is open."""
        return {
            "DOSSIER_HOME": str(self.home),
            "DOSSIER_DATABASE__URL": self.url,
            "DOSSIER_AUTH__MODE": "password",
            "DOSSIER_AUTH__SECRET": "only-for-this-benchmark-0123456789",
            "DOSSIER_LIMITS__REQUESTS_PER_MINUTE": "0",
            "DOSSIER_LIMITS__WRONG_PASSWORDS": "0",
            "BENCH_DATABASE_URL": self.url,
            "BENCH_ORG_ID": str(SMALL),
            **more,
        }

    async def database_pid(self) -> int:
        """Return the first process of PostgreSQL."""
        async with self.connected() as connection:
            lines = await connection.fetchval("select pg_read_file('postmaster.pid')")
        return int(lines.split()[0])

    async def add_products(self, org_id: UUID, count: int) -> None:
        """Fill an organisation, and the same owner of the usual way."""
        async with self.connected() as connection:
            await connection.execute(_PRODUCTS, org_id, count)
            await connection.execute(_USUAL_ITEMS, org_id, count)
            await connection.execute("vacuum analyze products")
            await connection.execute("vacuum analyze usual_items")

    async def add_lists(self, org_id: UUID, count: int) -> None:
        """Fill the other lists, and link papers to the newest product."""
        async with self.connected() as connection:
            await connection.execute(_DOCUMENTS, org_id, count)
            await connection.execute(_LINKS, org_id)
            await connection.execute(_EVENTS, org_id, count)
            await connection.execute(_PROFILE, org_id)
            await connection.execute(_ROOMS, org_id, count)
            await connection.execute("vacuum analyze")


def email_of(org_id: UUID) -> str:
    """Return who logs in for an organisation."""
    return "small@example.org" if org_id == SMALL else "large@example.org"


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """Yield a migrated database with two organisations; remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="dossier-bench-") as folder:
        home = Path(folder)
        try:
            async with embedded_postgres(home) as url:
                yield await _built(url, home)
        finally:
            embedded_postgres(home).destroy()


async def _built(url: str, home: Path) -> Stage:
    await migrate.upgrade(url)
    await _prepare_usual(url)
    built = Stage(url, home)
    async with built.connected() as connection:
        await _add_organisations(connection)
    return built


async def _add_organisations(connection: asyncpg.Connection) -> None:
    for org_id in (SMALL, LARGE):
        await connection.execute(_ORGANISATION, org_id, "Bench")
        hashed = _HASHER.hash(PASSWORD)
        await connection.execute(_USER, org_id, email_of(org_id), hashed)
        await connection.execute(_MEMBERSHIP, org_id)


async def _prepare_usual(url: str) -> None:
    os.environ["BENCH_DATABASE_URL"] = url
    from benchmarks import usual  # noqa: PLC0415 - it connects by the variable

    usual.prepare(SMALL, LARGE, PASSWORD)
