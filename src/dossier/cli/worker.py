"""`dossier worker`: one worker process."""

import asyncio

import typer

from dossier.cli.importing import importing
from dossier.core.logging import configure_logging
from dossier.core.settings import Settings

app = typer.Typer()


@app.command()
def worker() -> None:
    """Run jobs until SIGTERM; then the running ones end and no new ones begin.

    Start as many as the machine has cores. Restart one that ends by itself: code 75
    says that another worker holds its jobs.
    """
    settings = Settings()
    configure_logging(settings.logging.level)
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    with importing():
        from dossier.worker import run_worker, stop_on_signals  # noqa: PLC0415 - slow

    stop = asyncio.Event()
    stop_on_signals(stop)
    await run_worker(settings, stop)
