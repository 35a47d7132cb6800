"""`dossier knowledge`: look after what search knows."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer

from dossier.core.clock import now
from dossier.core.database import SessionFactory, system_transaction
from dossier.core.settings import Settings
from dossier.core.startup import opened_database
from dossier.documents.tasks import orphan_blobs
from dossier.integrations.storage.client import ObjectStore, open_store
from dossier.knowledge.service.indexing_check import Orphans, find_orphans

app = typer.Typer(no_args_is_help=True)

_YOUNG = timedelta(hours=1)
"""Bytes come before their document; younger ones may still be on their way."""


@app.callback()
def knowledge() -> None:
    """Look after what search knows of the papers."""


@app.command()
def check(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document.")
    ] = False,
) -> None:
    """Look for what deleted documents left behind; exit code 1 where there is any."""
    found = asyncio.run(_check(Settings()))
    if as_json:
        typer.echo(orjson.dumps({"ok": not found, "orphans": list(map(_line, found))}))
    else:
        typer.echo("\n".join(map(_words, found)) or "Nothing is left behind.")
    raise typer.Exit(1 if found else 0)


def _line(orphans: Orphans) -> dict[str, Any]:
    return {
        "kind": orphans.kind,
        "organisation_id": str(orphans.organisation_id),
        "count": orphans.count,
    }


def _words(orphans: Orphans) -> str:
    return f"{orphans.organisation_id} {orphans.kind:<28} {orphans.count}"


async def _check(settings: Settings) -> list[Orphans]:
    async with opened_database(settings) as database:
        store = open_store(settings.storage.url, settings.home)
        return await look(database.sessions, store)


async def look(sessions: SessionFactory, store: ObjectStore) -> list[Orphans]:
    """Return what should not be there, in the database and in the store."""
    async with system_transaction(sessions) as session:
        found = await find_orphans(session)
    keys = [key async for key in orphan_blobs(sessions, store, now() - _YOUNG)]
    blobs = Counter(UUID(key.split("/")[1]) for key in keys)
    return found + [
        Orphans("blob-without-document", org_id, count)
        for org_id, count in sorted(blobs.items())
    ]
