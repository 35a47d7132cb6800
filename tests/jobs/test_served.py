"""A call that waits for its job, over HTTP, with a worker beside the web app."""

from uuid import UUID

from tests.conftest import (
    ORG_ID,
    USER_ID,
    KnownTokens,
    RunWorker,
    client_of,
    owner_of,
)
from tests.factories.jobs import make_job

from dossier.core.settings import Settings
from dossier.core.startup import Database
from dossier.jobs.constants import JobState
from dossier.jobs.context import JobContext
from dossier.main import create_app


async def test_a_call_that_waits_gets_the_job_that_a_worker_has_done(
    settings: Settings, worker_database: Database, run_worker: RunWorker
) -> None:
    async def act(_ctx: JobContext) -> None:
        return

    url = {"url": worker_database.url}
    changes = {"database": settings.database.model_copy(update=url)}
    app = create_app(settings.model_copy(update=changes))
    async with app.router.lifespan_context(app), run_worker({"tests.act": act}):
        app.state.authenticator = KnownTokens({"mei": owner_of(ORG_ID, USER_ID)})
        job = await make_job(worker_database.sessions, ORG_ID, state=JobState.FAILED)
        async with client_of(app, "mei") as client:
            response = await client.post(
                f"/api/v1/jobs/{job.id}/retry", headers={"prefer": "wait=20"}
            )

    assert response.status_code == 200
    assert response.headers["preference-applied"] == "wait=20"
    assert response.headers["location"] == f"/api/v1/jobs/{job.id}"
    body = response.json()
    assert (UUID(body["id"]), body["state"]) == (job.id, "done")
