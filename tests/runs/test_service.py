"""What a request asks of runs, in its own transaction."""

from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError
from tests.factories.runs import make_run

from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.pagination import PageParams
from dossier.core.tenancy import Actor
from dossier.runs.constants import RunState
from dossier.runs.exceptions import RunNotFoundError
from dossier.runs.gateway.log import add_batches
from dossier.runs.models import Run
from dossier.runs.rules.events import batch_of, make_event
from dossier.runs.schemas import RunFilters, RunResponse
from dossier.runs.service import RunsService


@pytest.fixture
def runs(session: Session, actor: Actor) -> RunsService:
    return RunsService(session, actor)


async def test_run_remembers_who_asked_for_it(runs: RunsService, actor: Actor) -> None:
    run = await runs.start("tests.talk", input={"question": "玫瑰"})

    assert (run.state, run.input) == (RunState.PENDING, {"question": "玫瑰"})
    assert (run.actor.user_id, run.actor.role, run.actor.request_id) == (
        actor.user_id,
        actor.role,
        actor.request_id,
    )


async def test_runs_are_listed_newest_first(
    runs: RunsService, sessions: SessionFactory, org_id: UUID
) -> None:
    first = await make_run(sessions, org_id)
    second = await make_run(sessions, org_id)
    await make_run(sessions, org_id, kind="tests.other")

    listed = await runs.list_runs(RunFilters(kind="tests.talk"), PageParams())

    assert [run.id for run in listed.items] == [second.id, first.id]


async def test_runs_of_one_subject_are_listed(
    runs: RunsService, sessions: SessionFactory, org_id: UUID
) -> None:
    wanted = await make_run(sessions, org_id, subject_id=org_id)
    await make_run(sessions, org_id)

    listed = await runs.list_runs(
        RunFilters(subject_id=org_id, state=RunState.PENDING), PageParams()
    )

    assert [run.id for run in listed.items] == [wanted.id]


async def test_stored_events_are_listed_after_a_number(
    runs: RunsService, session: Session, org_id: UUID
) -> None:
    run = await runs.start("tests.talk", input={})
    events = [make_event(number, "a.b", {"n": number}) for number in range(1, 8)]
    rows = [batch_of(events[:3]), batch_of(events[3:])]
    await add_batches(session, org_id, run.id, rows)

    assert await runs.list_events(run.id) == events
    assert await runs.list_events(run.id, after=2, limit=3) == events[2:5]
    assert await runs.list_events(run.id, after=7) == []


async def test_run_of_another_organisation_is_not_found(
    sessions: SessionFactory, org_id: UUID, other_org_id: UUID, other_actor: Actor
) -> None:
    run = await make_run(sessions, org_id)

    async with tenant_transaction(sessions, other_org_id) as session:
        service = RunsService(session, other_actor)
        with pytest.raises(RunNotFoundError):
            await service.get_run(run.id)
        with pytest.raises(RunNotFoundError):
            await service.list_events(run.id)


async def test_events_cannot_be_stored_under_the_run_of_another_organisation(
    sessions: SessionFactory, org_id: UUID, other_org_id: UUID
) -> None:
    run = await make_run(sessions, org_id)
    forged = [batch_of([make_event(1, "a", {})])]

    with pytest.raises(Exception, match="foreign key"):
        async with tenant_transaction(sessions, other_org_id) as session:
            await add_batches(session, other_org_id, run.id, forged)


async def test_more_cannot_be_stored_than_was_reserved(
    sessions: SessionFactory, org_id: UUID
) -> None:
    with pytest.raises(IntegrityError, match="ck_runs_reserved"):
        await make_run(sessions, org_id, reserved_through=-1)


async def test_run_is_shown_without_what_only_processes_need(
    runs: RunsService,
) -> None:
    run: Run = await runs.start("tests.talk", input={"question": "a secret"})

    shown = RunResponse.model_validate(run).model_dump(mode="json")

    assert (shown["kind"], shown["state"]) == ("tests.talk", "pending")
    assert not shown.keys() & {"input", "owner", "epoch", "lease_until"}
