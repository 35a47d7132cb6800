"""`dossier knowledge`: look after what is known of the papers."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from dossier.core.settings import Settings
from dossier.core.startup import opened_database
from dossier.knowledge.rules.collection import (
    Collection,
    NamedLines,
    read_collection,
)
from dossier.knowledge.service.search_eval import evaluate

app = typer.Typer(no_args_is_help=True)


@app.callback()
def knowledge() -> None:
    """Look after what is known of the papers."""


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

    It is indexed and searched as papers are, and leaves nothing behind.
    """
    collection = _read(corpus, queries, qrels)
    figures = asyncio.run(_evaluate(Settings(), collection))
    typer.echo(orjson.dumps(figures) if as_json else _table(figures))


def _read(corpus: Path, queries: Path, qrels: Path) -> Collection:
    with ExitStack() as stack:
        return read_collection(
            *(_lines(stack, path) for path in (corpus, queries, qrels))
        )


def _lines(stack: ExitStack, path: Path) -> NamedLines:
    try:
        file = stack.enter_context(path.open("rb"))
    except OSError as exc:
        message = f"{path}: {exc.strerror}"
        raise typer.BadParameter(message) from exc
    return NamedLines(str(path), file)


async def _evaluate(settings: Settings, collection: Collection) -> dict[str, Any]:
    async with opened_database(settings) as database:
        return await evaluate(database.engine, collection)


def _table(figures: dict[str, Any]) -> str:
    width = max(map(len, figures))
    return "\n".join(f"{name:<{width}}  {value}" for name, value in figures.items())
