"""`dossier knowledge`: check the search index, and measure retrieval."""

import asyncio
import signal
from collections import Counter
from collections.abc import Coroutine
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import orjson
import typer

from dossier.core.clock import now
from dossier.core.database import SessionFactory, system_transaction
from dossier.core.embedded.cluster import embedded_postgres
from dossier.core.settings import Settings
from dossier.core.startup import opened_database
from dossier.documents.blobs import orphan_blobs
from dossier.integrations.storage.client import ObjectStore, open_store
from dossier.knowledge.rules.evaluation import (
    Collection,
    NamedLines,
    read_collection,
)
from dossier.knowledge.service.evaluation import evaluate
from dossier.knowledge.service.indexing import find_orphans
from dossier.knowledge.types import Orphans

app = typer.Typer(no_args_is_help=True)

_YOUNG = timedelta(hours=1)
"""Bytes are stored before their document; younger ones may belong to an upload."""


@app.callback()
def knowledge() -> None:
    """Check the search index, and measure retrieval."""


@app.command()
def check(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document.")
    ] = False,
) -> None:
    """Look for what deleted documents left behind; exit code 1 where there is any."""

    async def look_everywhere() -> list[Orphans]:
        settings = Settings()
        async with opened_database(settings) as database:
            store = open_store(settings.storage.url, settings.home)
            return await look(database.sessions, store)

    found = asyncio.run(look_everywhere())
    if as_json:
        orphans = [
            {
                "kind": entry.kind,
                "organisation_id": str(entry.organisation_id),
                "count": entry.count,
            }
            for entry in found
        ]
        typer.echo(orjson.dumps({"ok": not found, "orphans": orphans}))
    else:
        lines = [
            f"{entry.organisation_id} {entry.kind:<28} {entry.count}" for entry in found
        ]
        typer.echo("\n".join(lines) or "Nothing is left behind.")
    raise typer.Exit(1 if found else 0)


async def look(sessions: SessionFactory, store: ObjectStore) -> list[Orphans]:
    """Return rows and bytes without a document, in the database and in the store."""
    async with system_transaction(sessions) as session:
        found = await find_orphans(session)
    keys = [key async for key in orphan_blobs(sessions, store, now() - _YOUNG)]
    blobs = Counter(UUID(key.split("/")[1]) for key in keys)
    return found + [
        Orphans("blob-without-document", org_id, count)
        for org_id, count in sorted(blobs.items())
    ]


@app.command("eval")
def evaluate_retrieval(
    corpus: Annotated[Path, typer.Option(help="JSON lines: `_id`, `title`, `text`.")],
    queries: Annotated[Path, typer.Option(help="JSON lines: `_id`, `text`.")],
    qrels: Annotated[Path, typer.Option(help="Tab-separated: query, document, score.")],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output.")
    ] = False,
) -> None:
    """Measure retrieval on a judged collection in BEIR's layout.

    It is indexed and searched as documents are, in a database of its own, which is
    removed when the command ends.
    """
    with ExitStack() as stack:
        try:
            files = [
                NamedLines(str(path), stack.enter_context(path.open("rb")))
                for path in (corpus, queries, qrels)
            ]
        except OSError as exc:
            message = f"{exc.filename}: {exc.strerror}"
            raise typer.BadParameter(message) from exc
        collection = read_collection(*files)
    with TemporaryDirectory(prefix="dossier-eval-") as folder:
        figures = asyncio.run(_stoppable(measured(Path(folder), collection)))
    if as_json:
        typer.echo(orjson.dumps(figures))
        return
    width = max(map(len, figures))
    for name, value in figures.items():
        typer.echo(f"{name:<{width}}  {value}")


async def _stoppable(work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """Clean up at SIGTERM as at Ctrl-C."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, signal.raise_signal, signal.SIGINT)
    return await work


async def measured(home: Path, collection: Collection) -> dict[str, Any]:
    """Measure in a database below a folder; it is removed whatever happens."""
    async with embedded_postgres(home, durable=False, keep=False) as url:
        settings = Settings.model_validate({"home": home, "database": {"url": url}})
        async with opened_database(settings) as database:
            return await evaluate(database.sessions, collection, partial(_analyse, url))


async def _analyse(url: str) -> None:
    """Give the planner its statistics now; autovacuum would take a minute."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()
