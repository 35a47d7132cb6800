"""What the steps of a build work with: one organisation, its services, its store."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from dossier.cli.builder.waiting import JobWatch
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.integrations.parsing.reader import SandboxedBooks, limits_of
from dossier.integrations.storage.client import ObjectStore, open_store
from dossier.jobs.service import JobsService
from dossier.pif.service import PifService
from dossier.products.service import FormulaImporter, FormulaService, ProductsService
from dossier.reports.service import ReportsService


@dataclass(frozen=True, slots=True)
class BuildContext:
    """One build's surroundings; services are made anew for each transaction."""

    settings: Settings
    sessions: SessionFactory
    actor: Actor
    watch: JobWatch

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

    def documents(self, session: Session) -> DocumentsService:
        """Return the papers of the organisation."""
        return DocumentsService(session, self.actor)

    def importer(self) -> FormulaImporter:
        """Return what reads formulas; it opens transactions of its own."""
        reader = SandboxedBooks(limits_of(self.settings.limits))
        return FormulaImporter(self.sessions, self.actor, self.store, reader)

    def formulas(self, session: Session) -> FormulaService:
        """Return the formula versions of the organisation."""
        return FormulaService(session, self.actor, self.products(session))

    def pif(self, session: Session) -> PifService:
        """Return the product information files of the organisation."""
        return PifService(
            session,
            self.actor,
            self.products(session),
            self.formulas(session),
            self.documents(session),
        )

    def reports(self, session: Session) -> ReportsService:
        """Return the reports of the organisation."""
        jobs = JobsService(session, self.actor)
        return ReportsService(session, self.actor, self.pif(session), jobs, self.store)

    def products(self, session: Session) -> ProductsService:
        """Return the products of the organisation."""
        return ProductsService(session, self.actor, self.documents(session))
