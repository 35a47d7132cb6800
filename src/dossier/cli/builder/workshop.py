"""What the steps of a build work with: one organisation, its services, its store."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from dossier.cli.builder.waiting import JobWatch
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.documents.service import DocumentsService
from dossier.integrations.storage.client import ObjectStore, open_store
from dossier.products.service import ProductsService


@dataclass(frozen=True, slots=True)
class Workshop:
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

    def products(self, session: Session) -> ProductsService:
        """Return the products of the organisation."""
        return ProductsService(session, self.actor, self.documents(session))
