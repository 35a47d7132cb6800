"""How good answers are: found, quoted, refused, and unmoved by what papers demand.

`python -m benchmarks evals`. Offline: the scripted model server answers. With
`EVAL_REAL=1` the servers of the usual settings do. `EVAL_COLLECTION` names a folder
of a judged collection (`corpus.jsonl`, `queries.jsonl`, `qrels.tsv`); without it
nothing is said of retrieval and of extractive answers.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.evals import extractive, modelled
from benchmarks.evals.library import open_organisation, read_folder

from dossier.core import migrate
from dossier.core.database import make_engine, make_sessions
from dossier.core.embedded.cluster import embedded_postgres
from dossier.knowledge.service.evaluation import index_documents, judge_searches
from dossier.knowledge.service.search import SearchService


async def measure() -> dict[str, Any]:
    """Return all figures, on a database of their own."""
    folder = os.environ.get("EVAL_COLLECTION")
    with tempfile.TemporaryDirectory(prefix="dossier-evals-") as place:
        home = Path(place)
        try:
            async with embedded_postgres(home, durable=False) as url:
                await migrate.upgrade(url)
                judged = await _judged(url, Path(folder)) if folder else {}
                return judged | {"answers": await modelled.measure(url, home)}
        finally:
            embedded_postgres(home).destroy()


async def _judged(url: str, folder: Path) -> dict[str, Any]:
    """Index the documents once, for both."""
    collection = read_folder(folder)
    engine = make_engine(url)
    try:
        sessions = make_sessions(engine)
        actor = await open_organisation(sessions)
        papers = await index_documents(sessions, actor, collection.documents)
        search = SearchService(sessions, actor)
        return {
            "retrieval": await judge_searches(search, collection, papers),
            "extractive": await extractive.measure(search, collection, papers),
        }
    finally:
        await engine.dispose()
