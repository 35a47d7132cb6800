"""A database that really commits, and engines on it that play several processes."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from tests.conftest import TEMPLATE, clone
from tests.factories.accounts import make_organisation
from tests.factories.runs import kill, make_engine
from tests.runs.scripted import Talk

from dossier.core.database import (
    Engine,
    SessionFactory,
    make_sessions,
    system_transaction,
    tenant_transaction,
)
from dossier.core.database import make_engine as make_pool
from dossier.core.models import new_id
from dossier.runs.service import RunEngine

NOTES = """
create table runs_notes (org_id uuid not null, note text not null);
grant select, insert on runs_notes to dossier_app;
"""
"""What executors of these tests write at the end of a run."""

Process = Callable[..., Awaitable[RunEngine]]
Notes = Callable[[], Awaitable[list[str]]]


@pytest.fixture(scope="session")
async def runs_url(cluster_url: str, database_url: str) -> AsyncIterator[str]:
    del database_url  # only so that the template exists
    name = f"runs_{os.getpid()}"
    url = await clone(cluster_url, TEMPLATE, name)
    connection = await asyncpg.connect(url)
    await connection.execute(NOTES)
    await connection.close()
    yield url
    connection = await asyncpg.connect(cluster_url)
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


@pytest.fixture(scope="session")
async def pool(runs_url: str) -> AsyncIterator[Engine]:
    pool = make_pool(runs_url)
    yield pool
    await pool.dispose()


@pytest.fixture
def committed(pool: Engine) -> SessionFactory:
    """Sessions whose transactions are seen by everybody."""
    return make_sessions(pool)


@pytest.fixture
async def brand(committed: SessionFactory) -> AsyncIterator[UUID]:
    """An organisation of this test alone; its runs do not outlive the test."""
    org_id = await make_organisation(committed, id=new_id(), name="Rose Maison")
    yield org_id
    async with system_transaction(committed) as session:
        await session.execute(text("delete from runs"))


@pytest.fixture
async def process(
    committed: SessionFactory, runs_url: str, brand: UUID
) -> AsyncIterator[Process]:
    """Starts one more process; all of them are killed at the end."""
    del brand  # only so that the engines are killed before its runs are deleted
    engines: list[RunEngine] = []

    async def begin(executor: Any = None, **settings: Any) -> RunEngine:
        executors = {"tests.talk": executor or Talk()}
        engine = make_engine(committed, runs_url, executors, **settings)
        engines.append(engine)
        await engine.start()
        await engine._news.listener._ready.wait()  # noqa: SLF001 - a process is up when it hears
        return engine

    yield begin
    for engine in engines:
        await kill(engine)


@pytest.fixture
def notes(committed: SessionFactory, brand: UUID) -> Notes:
    """Returns what executors have written for this test's organisation."""

    async def read() -> list[str]:
        query = text("select note from runs_notes where org_id = :org_id")
        async with tenant_transaction(committed, brand) as session:
            return list(await session.scalars(query, {"org_id": brand}))

    return read
