"""`dossier jobs` against a database of its own."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import orjson
import pytest
from tests.conftest import ORG_ID, OTHER_ORG_ID
from tests.factories.accounts import make_organisation
from tests.factories.jobs import STREAM_KIND, get_job, make_job, make_toy
from typer.testing import CliRunner, Result

from dossier.cli import app
from dossier.core.database import SessionFactory, make_engine, make_sessions
from dossier.core.models import new_id
from dossier.jobs.constants import JobState


@pytest.fixture
async def committed(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SessionFactory]:
    monkeypatch.setenv("DOSSIER_DATABASE__URL", fresh_database)
    monkeypatch.setenv("DOSSIER_DATABASE__MIGRATE_ON_START", "false")
    engine = make_engine(fresh_database)
    sessions = make_sessions(engine)
    await make_organisation(sessions, id=ORG_ID, name="Rose Maison")
    await make_organisation(sessions, id=OTHER_ORG_ID, name="Lily House")
    yield sessions
    await engine.dispose()


async def call(*arguments: str) -> Result:
    """Run the command where it may have a loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["jobs", *arguments])


def lines(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.output
    return [orjson.loads(line) for line in result.stdout.splitlines()]


async def test_failed_jobs_of_every_organisation_are_listed(
    committed: SessionFactory,
) -> None:
    for org_id in (ORG_ID, OTHER_ORG_ID):
        await make_job(committed, org_id, state=JobState.FAILED)
        await make_job(committed, org_id)

    listed = lines(await call("list", "--state", "failed"))

    assert {UUID(str(line["org_id"])) for line in listed} == {ORG_ID, OTHER_ORG_ID}
    assert {line["state"] for line in listed} == {"failed"}


async def test_all_failed_jobs_are_queued_again(committed: SessionFactory) -> None:
    jobs = [
        await make_job(committed, org_id, state=JobState.FAILED)
        for org_id in (ORG_ID, OTHER_ORG_ID)
    ]

    retried = lines(await call("retry", "--all-failed"))

    assert len(retried) == 2
    assert [(await get_job(committed, job)).state for job in jobs] == ["pending"] * 2


async def test_one_job_is_cancelled(committed: SessionFactory) -> None:
    job = await make_job(committed, ORG_ID)

    [line] = lines(await call("cancel", str(job.id)))

    assert line["state"] == "cancelled"


async def test_stats_print_depth_and_age_by_kind(committed: SessionFactory) -> None:
    for _ in range(2):
        await make_job(committed, ORG_ID)

    [depth] = lines(await call("stats"))

    assert (depth["kind"], depth["status"], depth["jobs"]) == ("tests.act", "queued", 2)


@pytest.mark.parametrize("arguments", [["retry"], ["retry", "x", "--all-failed"]])
async def test_retry_needs_either_a_job_or_all(arguments: list[str]) -> None:
    assert (await call(*arguments)).exit_code == 2


async def test_unknown_job_is_reported_without_a_traceback(
    committed: SessionFactory,
) -> None:
    del committed

    result = await call("cancel", str(new_id()))

    assert result.exit_code == 2
    assert result.stderr.startswith("Job not found: ")


async def test_a_kind_that_is_not_listed_is_counted_but_not_listed_or_retried(
    committed: SessionFactory,
) -> None:
    job = await make_toy(committed, ORG_ID)

    assert lines(await call("list")) == []
    assert (await call("retry", str(job.id))).exit_code == 2
    assert [line["kind"] for line in lines(await call("stats"))] == [STREAM_KIND]
