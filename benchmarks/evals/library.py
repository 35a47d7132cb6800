"""Judged collections, and an organisation of their own."""

from pathlib import Path

from dossier.accounts.constants import OrganisationKind
from dossier.accounts.service.organisations import OrganisationsService
from dossier.core.database import SessionFactory
from dossier.core.tenancy import Actor
from dossier.knowledge.rules.evaluation import (
    Collection,
    NamedLines,
    read_collection,
)


def read_folder(folder: Path) -> Collection:
    """Return a judged collection."""
    names = ("corpus.jsonl", "queries.jsonl", "qrels.tsv")
    return read_collection(*(_lines(folder / name) for name in names))


def _lines(path: Path) -> NamedLines:
    return NamedLines(path.name, path.read_bytes().splitlines())


async def open_organisation(sessions: SessionFactory) -> Actor:
    """Return who acts for a new organisation."""
    organisations = OrganisationsService(sessions)
    kind = OrganisationKind.BRAND
    organisation = await organisations.create_organisation("Evals", kind)
    return Actor.system(organisation.id)
