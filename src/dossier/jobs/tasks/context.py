"""The context that a task is given: one run of one job."""

import time
from uuid import UUID

import anyio

from dossier.core.clock import now
from dossier.core.database import (
    Session,
    SessionFactory,
    after_commit,
    tenant_transaction,
)
from dossier.core.tenancy import Actor
from dossier.integrations.queue import carry
from dossier.integrations.queue.delivery import Delivery
from dossier.jobs import gateway
from dossier.jobs.constants import JobState
from dossier.jobs.exceptions import JobSupersededError

PROGRESS_INTERVAL_S = 0.2
"""Progress that comes faster is written only when it says that all is done."""


class RunContext:
    """What one run may do to its own job; satisfies `TaskContext`."""

    def __init__(
        self, sessions: SessionFactory, actor: Actor, delivery: Delivery
    ) -> None:
        self.sessions = sessions
        self.actor = actor
        self.org_id: UUID = delivery.org_id
        self.job_id: UUID = delivery.job_id
        self._run_id = delivery.run_id
        self._scope = delivery.scope
        self._next_write_s = 0.0
        self.has_receipt = False
        """Set once the transaction that holds the receipt has been committed."""

    async def progress(
        self,
        done: int,
        total: int | None = None,
        unit: str | None = None,
        message: str | None = None,
    ) -> None:
        """Say how far it is; going further forgives earlier failures."""
        if time.monotonic() < self._next_write_s and done != total:
            return
        async with tenant_transaction(self.sessions, self.org_id) as session:
            state = await gateway.mark_progress_for_org(
                session,
                self.org_id,
                self.job_id,
                self._run_id,
                progress_done=done,
                progress_total=total,
                progress_unit=unit,
                progress_message=message,
            )
        self._next_write_s = time.monotonic() + PROGRESS_INTERVAL_S
        if state is None:
            raise JobSupersededError(self.job_id)
        if state is JobState.CANCELLING:
            # The notification may have been lost with a connection.
            self._scope.cancel()
            await anyio.lowlevel.checkpoint()

    async def finish(self, session: Session, result_path: str | None = None) -> None:
        """Write the receipt in the task's own last transaction."""
        is_owner = await gateway.settle_done_for_org(
            session,
            self.org_id,
            self.job_id,
            self._run_id,
            result_path=result_path,
            finished_at=now(),
        )
        if not is_owner:
            raise JobSupersededError(self.job_id)
        await carry.announce_end(session, self.job_id)
        after_commit(session, self._note_receipt)

    def _note_receipt(self) -> None:
        self.has_receipt = True
