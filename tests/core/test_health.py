import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text

import dossier
from dossier.core.database import DatabaseEngine, make_engine
from dossier.core.health import database_checks, insert_check
from dossier.core.settings import Settings
from dossier.main import create_app


@pytest.fixture
def checked_app(app: FastAPI, engine: DatabaseEngine) -> FastAPI:
    app.state.checks = database_checks(engine)
    return app


async def test_health_is_exactly_ok(anonymous_client: httpx2.AsyncClient) -> None:
    answer = await anonymous_client.get("/health")

    assert answer.content == b'{"status":"ok"}'


async def test_process_lives_without_a_database(
    anonymous_client: httpx2.AsyncClient,
) -> None:
    answer = await anonymous_client.get("/live")

    assert answer.json() == {"status": "ok"}


@pytest.mark.usefixtures("checked_app")
async def test_ready_reports_check_by_check(
    anonymous_client: httpx2.AsyncClient,
) -> None:
    answer = await anonymous_client.get("/ready")

    assert answer.status_code == 200
    assert {name: c["status"] for name, c in answer.json()["checks"].items()} == {
        "database": "ok",
        "migrations": "ok",
    }


async def test_database_that_is_away_makes_it_not_ready_and_gives_nothing_away(
    app: FastAPI, anonymous_client: httpx2.AsyncClient
) -> None:
    engine = make_engine("postgresql://mei:secret@127.0.0.1:1/nowhere")
    app.state.checks = database_checks(engine)

    answers = [await anonymous_client.get(path) for path in ("/ready", "/health/db")]

    for answer in answers:
        assert answer.status_code == 503
        check = answer.json()["checks"]["database"]
        assert check["status"] == "failed"
        assert check["detail"] == "The database cannot be reached for the moment."
        assert "secret" not in answer.text


async def test_old_revision_makes_it_not_ready(
    app: FastAPI, anonymous_client: httpx2.AsyncClient, fresh_database: str
) -> None:
    engine = make_engine(fresh_database)
    app.state.checks = database_checks(engine)
    async with engine.begin() as connection:
        await connection.execute(text("set role dossier_owner"))
        await connection.execute(text("update alembic_version set version_num = 'x'"))

    answer = await anonymous_client.get("/ready")
    await engine.dispose()

    assert answer.status_code == 503
    assert answer.json()["checks"]["database"]["status"] == "ok"
    assert "at x" in answer.json()["checks"]["migrations"]["detail"]


async def test_queue_that_takes_no_jobs_makes_it_not_ready(
    app: FastAPI, anonymous_client: httpx2.AsyncClient, engine: DatabaseEngine
) -> None:
    app.state.checks = {"queue": insert_check(engine, "alembic_version")}

    answer = await anonymous_client.get("/ready")

    assert answer.status_code == 503
    assert (
        answer.json()["checks"]["queue"]["detail"]
        == "Jobs cannot be put into the queue."
    )


async def test_info_names_the_version(anonymous_client: httpx2.AsyncClient) -> None:
    answer = await anonymous_client.get("/info")

    assert answer.json() == {
        "name": "dossier",
        "version": dossier.__version__,
        "api": "/api/v1",
        "auth_mode": "password",
    }


@asynccontextmanager
async def started(home: Path, url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Start the whole app in open mode, as `dossier serve` does."""
    app = create_app(
        Settings.model_validate(
            {
                "home": home,
                "database": {"url": url, "migrate_on_start": False},
                "jobs": {"child": False},
            }
        )
    )
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8000"
        ) as client,
    ):
        client.headers["x-probe"] = "started"
        yield client


async def test_first_requests_of_open_mode_share_one_organisation(
    tmp_path: Path, fresh_database: str
) -> None:
    async with started(tmp_path, fresh_database) as client:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(client.get("/api/v1/users/me")) for _ in range(5)
            ]
        answers = [task.result() for task in tasks]
        trail = await client.get("/api/v1/activity", params={"action_type": "create"})
        ready = await client.get("/ready")

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["organisation_id"] for answer in answers}) == 1
    assert {answer.json()["role"] for answer in answers} == {"owner"}
    made = sorted(event["entity_type"] for event in trail.json()["items"])
    assert made == ["organisation", "user"]  # once each, and told
    assert ready.json()["checks"].keys() == {
        "database",
        "migrations",
        "queue",
        "storage",
    }
    assert ready.status_code == 200


async def test_nothing_is_signed_to_last_in_open_mode(
    tmp_path: Path, fresh_database: str
) -> None:
    async with started(tmp_path / "home", fresh_database) as client:
        await client.get("/api/v1/users/me")

    assert not Path.exists(tmp_path / "home")


async def test_check_without_an_answer_makes_it_not_ready_within_two_seconds(
    app: FastAPI, anonymous_client: httpx2.AsyncClient
) -> None:
    ended = asyncio.Event()

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    app.state.checks = {"database": never}

    async with asyncio.timeout(2):
        answer = await anonymous_client.get("/ready")
    await asyncio.wait_for(ended.wait(), 1)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert answer.json()["checks"]["database"]["detail"] == "No answer in 1.5 s."


async def test_storage_that_cannot_be_written_makes_it_not_ready(
    fresh_database: str, tmp_path: Path
) -> None:
    (tmp_path / "blobs").write_text("a file where the folder belongs")

    async with started(tmp_path, fresh_database) as client:
        answer = await client.get("/ready")

    assert answer.status_code == 503
    assert answer.json()["checks"]["storage"]["status"] == "failed"
    assert answer.json()["checks"]["database"]["status"] == "ok"
