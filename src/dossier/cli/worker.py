"""`dossier worker`: one worker process."""

import asyncio
from typing import Annotated

import typer

from dossier.cli import importing
from dossier.cli.child import stop_at_end_of
from dossier.core.logging import configure_logging
from dossier.core.settings import Settings

app = typer.Typer()


@app.command()
def worker(
    parent_pipe: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run jobs until SIGTERM; then no new ones begin, and the running ones may end.

    Answers are given back at once, others have 25 s; another worker goes on with them.

    Start as many as the machine has cores. Restart one that ends by itself: code 75
    says that another worker holds its jobs.
    """
    settings = Settings()
    configure_logging(settings.logging.level)
    asyncio.run(_work(settings, parent_pipe))


async def _work(settings: Settings, parent_pipe: int | None) -> None:
    with importing():
        from dossier.worker import run_worker, stop_on_signals  # noqa: PLC0415 - slow

    stop = asyncio.Event()
    stop_on_signals(stop)
    if parent_pipe is not None:
        stop_at_end_of(parent_pipe, stop)
    await run_worker(settings, stop)
