"""What the steps of a build work with: one organisation, its services, its store."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID

from dossier.cli.builder.types import JobFailedError
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.integrations.parsing.reader import SandboxedBooks, limits_of
from dossier.integrations.storage.client import ObjectStore, open_store
from dossier.jobs.constants import FINISHED, JobState
from dossier.jobs.follower import JobFollower
from dossier.jobs.models import Job
from dossier.jobs.service import JobsService
from dossier.pif.service.confirmations import ConfirmationsService
from dossier.pif.service.matching import MatchingService
from dossier.pif.service.versions import VersionsService
from dossier.products.service.formulas import FormulaImporter, FormulaService
from dossier.products.service.products import ProductsService
from dossier.reports.service import ReportsService


@dataclass(frozen=True, slots=True)
class BuildContext:
    """One build's surroundings; services are made anew for each transaction."""

    settings: Settings
    sessions: SessionFactory
    actor: Actor
    follower: JobFollower

    @property
    def store(self) -> ObjectStore:
        """Where bytes lie."""
        return open_store(self.settings.storage.url, self.settings.home)

    @property
    def max_size_bytes(self) -> int:
        """Above this, a file is refused."""
        return self.settings.limits.max_upload_mib * 1024**2

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """Open one transaction of the organisation."""
        return tenant_transaction(self.sessions, self.actor.org_id)

    async def ended_jobs(self, job_ids: Iterable[UUID]) -> AsyncIterator[Job]:
        """Yield each job once it has ended, well or not."""
        for job_id in job_ids:
            job = await self._job(job_id)
            if job.state not in FINISHED:
                await self.follower.wait(self.actor.org_id, job_id, timeout_s=None)
                job = await self._job(job_id)
            yield job

    async def require_done(self, job_id: UUID) -> None:
        """Wait for a job.

        Raises:
            JobFailedError: it failed or was cancelled; its problem says why.
        """
        async for job in self.ended_jobs([job_id]):
            if job.state is not JobState.DONE:
                raise JobFailedError(job.kind, job.error or {})

    async def _job(self, job_id: UUID) -> Job:
        async with self.transaction() as session:
            return await JobsService(session, self.actor).get_job(job_id)

    def documents(self, session: Session) -> DocumentsService:
        """Return the documents of the organisation."""
        return DocumentsService(session, self.actor)

    def importer(self) -> FormulaImporter:
        """Return what reads formulas; it opens transactions of its own."""
        reader = SandboxedBooks(limits_of(self.settings.limits))
        return FormulaImporter(self.sessions, self.actor, self.store, reader)

    def formulas(self, session: Session) -> FormulaService:
        """Return the formula versions of the organisation."""
        return FormulaService(session, self.actor, self.products(session))

    def matching(self, session: Session) -> MatchingService:
        """Return what matches documents to items."""
        return MatchingService(self.products(session), self.documents(session))

    def versions(self, session: Session) -> VersionsService:
        """Return the versions of the organisation's files."""
        return VersionsService(
            session,
            self.actor,
            self.products(session),
            self.formulas(session),
            self.documents(session),
        )

    def confirmations(self, session: Session) -> ConfirmationsService:
        """Return the confirmations of the organisation's files."""
        products, documents = self.products(session), self.documents(session)
        return ConfirmationsService(session, self.actor, products, documents)

    def reports(self, session: Session) -> ReportsService:
        """Return the reports of the organisation."""
        jobs = JobsService(session, self.actor)
        return ReportsService(
            session, self.actor, self.versions(session), jobs, self.store
        )

    def products(self, session: Session) -> ProductsService:
        """Return the products of the organisation."""
        return ProductsService(session, self.actor, self.documents(session))
