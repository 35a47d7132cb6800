"""Use cases of runs, in the caller's transaction: start, look, cancel."""

from functools import partial
from typing import Any
from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.creates import Creates
from dossier.core.database import Session, after_commit
from dossier.core.models import new_id
from dossier.core.pagination import PageParams, Slice
from dossier.core.tenancy import Actor
from dossier.runs.constants import MAX_TOLD, RunSignal, RunState, Verb
from dossier.runs.exceptions import RunNotFoundError
from dossier.runs.gateway import log
from dossier.runs.gateway import run as gateway
from dossier.runs.models import Run
from dossier.runs.ports import Holder, Launcher
from dossier.runs.rules.events import RunEvent, batch_of, make_event, unfolded
from dossier.runs.rules.states import next_state
from dossier.runs.schemas import RunFilters
from dossier.runs.service.settling import cancelled_end


class RunsService:
    """An organisation's runs."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor

    async def start(
        self,
        kind: str,
        *,
        input: dict[str, Any],  # noqa: A002 - what the column and its readers call it
        subject_id: UUID | None = None,
        engine: Launcher | None = None,
        run_id: UUID | None = None,
    ) -> Run:
        """Create a run; with an engine it begins there as soon as this is committed.

        Without one, the first process that looks takes it.
        """
        actor = self._actor
        run = Run(**_members(actor, kind, input, subject_id), id=run_id or new_id())
        if engine is None:
            await gateway.add_run(self._session, run)
            await log.tell_for_org(self._session, actor.org_id, Verb.DUE, [run.id])
        else:
            await gateway.add_run(self._session, run, engine.holder)
            after_commit(self._session, partial(engine.adopt, run))
        return run

    async def get_run(self, run_id: UUID) -> Run:
        """Return one run of the organisation."""
        run = await gateway.get_run_for_org(self._session, self._actor.org_id, run_id)
        if run is None:
            raise RunNotFoundError(run_id)
        return run

    async def list_runs(self, filters: RunFilters, page: PageParams) -> Slice[Run]:
        """Return one page of the organisation's runs, newest first."""
        return await gateway.list_runs_for_org(
            self._session, self._actor.org_id, filters, page
        )

    async def list_events(
        self, run_id: UUID, after: int = 0, limit: int = 100
    ) -> list[RunEvent]:
        """Return stored events after a number, in order."""
        await self.get_run(run_id)
        arrays = await log.list_arrays_for_org(
            self._session, self._actor.org_id, run_id, after, limit
        )
        events = [event for array in arrays for event in unfolded(array, after)]
        return events[:limit]

    async def cancel(self, run_id: UUID) -> Run:
        """Cancel at once what waits; ask the owner to stop what runs.

        Asking twice, or for a run that is over, changes nothing.
        """
        org_id = self._actor.org_id
        run = await gateway.lock_run_for_org(self._session, org_id, run_id)
        if run is None:
            raise RunNotFoundError(run_id)
        before, run.state = run.state, next_state(run.state, RunSignal.CANCEL)
        if run.state is before:
            return run
        run.cancel_requested_at = now()
        if run.state is RunState.CANCELLED:
            await self._end(run)
        else:
            await log.tell_for_org(self._session, org_id, Verb.CANCEL, [run.id])
        await self._record(run)
        return run

    async def delete_run(self, run_id: UUID) -> None:
        """Forget a run and what it said; where it still works, it stops."""
        org_id = self._actor.org_id
        if await gateway.delete_run_for_org(self._session, org_id, run_id):
            await log.tell_for_org(self._session, org_id, Verb.CANCEL, [run_id])

    async def delete_runs_of(self, subject_id: UUID) -> None:
        """Forget the runs of one subject and what they said."""
        org_id = self._actor.org_id
        stopped = await gateway.delete_runs_of_subject_for_org(
            self._session, org_id, subject_id
        )
        await self._tell(Verb.CANCEL, stopped)

    async def have_readers_checked(self, subject_id: UUID) -> None:
        """Have those who follow a subject's runs asked whether they still may."""
        run_ids = await gateway.list_unfinished_ids_for_org(
            self._session, self._actor.org_id, subject_id
        )
        await self._tell(Verb.ACCESS, run_ids)

    async def _tell(self, verb: Verb, run_ids: list[UUID]) -> None:
        for start in range(0, len(run_ids), MAX_TOLD):
            told = run_ids[start : start + MAX_TOLD]
            await log.tell_for_org(self._session, self._actor.org_id, verb, told)

    async def _end(self, run: Run) -> None:
        """End a run that no process has in hand."""
        end = cancelled_end(run.id)
        last = make_event(run.reserved_through + 1, end.type, end.data)
        run.finished_at = now()
        run.reserved_through = run.stored_through = last.sequence_number
        batches = [batch_of([last])]
        await log.add_batches(self._session, run.org_id, run.id, batches)
        await log.tell_for_org(self._session, run.org_id, Verb.ENDED, [run.id])

    async def _record(self, run: Run) -> None:
        await ActivityService(self._session, self._actor).record(
            "update", "run", run.id, details={"kind": run.kind, "state": run.state}
        )


def add_run(
    creates: Creates,
    actor: Actor,
    kind: str,
    *,
    input: dict[str, Any],  # noqa: A002 - as above
    subject_id: UUID | None,
    holder: Holder,
) -> Run:
    """Take a run along with a request's other new rows, in this process's hand.

    The engine adopts it once they are stored.
    """
    members = _members(actor, kind, input, subject_id)
    return gateway.add_run_in_hand(creates, members, holder)


def _members(
    actor: Actor, kind: str, written: dict[str, Any], subject_id: UUID | None
) -> dict[str, Any]:
    return {
        "org_id": actor.org_id,
        "kind": kind,
        "subject_id": subject_id,
        "input": written,
        "actor_user_id": actor.user_id,
        "actor_api_key_id": actor.api_key_id,
        "actor_name": actor.name,
        "actor_role": actor.role,
        "request_id": actor.request_id,
    }
