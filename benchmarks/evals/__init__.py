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
from benchmarks.evals.library import read_folder

from dossier.core import migrate
from dossier.core.database import make_engine
from dossier.core.embedded import embedded_postgres
from dossier.knowledge.service.search_eval import evaluate


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
    collection = read_folder(folder)
    engine = make_engine(url)
    try:
        return {
            "retrieval": await evaluate(engine, collection),
            "extractive": await extractive.measure(engine, collection),
        }
    finally:
        await engine.dispose()
