"""What callers at once need: a database that commits, an organisation of its own."""

import os
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.conftest import TEMPLATE, clone
from tests.factories.accounts import make_organisation

from dossier.core.database import SessionFactory, make_engine, make_sessions


@pytest.fixture(scope="session")
async def committing_url(cluster_url: str, database_url: str) -> AsyncIterator[str]:
    del database_url  # only so that the template exists
    name = f"ai_{os.getpid()}"
    yield await clone(cluster_url, TEMPLATE, name)
    connection = await asyncpg.connect(cluster_url)
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


@pytest.fixture(scope="session")
async def committing(committing_url: str) -> AsyncIterator[SessionFactory]:
    engine = make_engine(committing_url, pool_size=10)
    yield make_sessions(engine)
    await engine.dispose()


@pytest.fixture
async def lone_org_id(committing: SessionFactory) -> UUID:
    return await make_organisation(committing, id=uuid4(), name="Rose Maison")
