"""The worker inside `serve`: a job is asked for, run and answered in one process."""

from uuid import UUID

from tests.conftest import ORG_ID, USER_ID, KnownTokens, client_of, owner_of
from tests.factories.accounts import make_organisation
from tests.factories.jobs import make_job

from dossier.core.models import new_id
from dossier.core.settings import Settings
from dossier.jobs.constants import JobState
from dossier.main import create_app


def served(settings: Settings, url: str) -> Settings:
    """Return settings with a worker inside, on another database."""
    changes = {
        "database": settings.database.model_copy(update={"url": url}),
        "jobs": settings.jobs.model_copy(update={"in_process": True}),
    }
    return settings.model_copy(update=changes)


async def test_a_call_that_waits_gets_the_job_that_the_worker_inside_has_done(
    settings: Settings, fresh_database: str
) -> None:
    app = create_app(served(settings, fresh_database))
    async with app.router.lifespan_context(app):
        sessions = app.state.sessions
        await make_organisation(sessions, id=ORG_ID, name="Rose Maison")
        app.state.authenticator = KnownTokens({"mei": owner_of(ORG_ID, USER_ID)})
        job = await make_job(
            sessions,
            ORG_ID,
            "documents.read_text",
            args={"document_id": str(new_id())},  # deleted since: nothing to read
            state=JobState.FAILED,
            finished_at=None,
        )
        async with client_of(app, "mei") as client:
            response = await client.post(
                f"/api/v1/jobs/{job.id}/retry", headers={"prefer": "wait=20"}
            )

    assert response.status_code == 200
    assert response.headers["preference-applied"] == "wait=20"
    assert response.headers["location"] == f"/api/v1/jobs/{job.id}"
    body = response.json()
    assert (UUID(body["id"]), body["state"]) == (job.id, "done")
