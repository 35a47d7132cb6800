"""`dossier serve`: the web app, and a worker process as its child."""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typing_extensions import override

import dossier
from dossier.cli.child import WorkerChild
from dossier.core.embedded.cluster import embedded_postgres
from dossier.core.errors import AppError
from dossier.core.logging import configure_logging
from dossier.core.loopback import is_loopback
from dossier.core.settings import Settings

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

app = typer.Typer()

START_FAILED = 3
"""What the server itself ends with where it could not start."""
GRACE_S = 30
"""How long requests that are under way may take after the signal to stop."""
RELOAD_GRACE_S = 2
"""The same before a reload: open streams would hold it up, and clients reconnect."""


@app.command()
def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; open mode: this machine.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")
    ] = None,
    *,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Leave jobs to `dossier worker`.")
    ] = False,
    reload: Annotated[
        bool, typer.Option("--reload", help="Start anew when the code changes.")
    ] = False,
) -> None:
    """Serve the API."""
    settings = _chosen(Settings(), host, port, no_worker=no_worker)
    if settings.auth.mode == "open" and not is_loopback(settings.web.host):
        message = (
            f"Open mode has no log-in, so it does not listen on {settings.web.host}. "
            "Set DOSSIER_AUTH__MODE=password, or keep to 127.0.0.1."
        )
        raise typer.BadParameter(message, param_hint="--host")
    _refuse_taken_port(settings.web.host, settings.web.port)
    configure_logging(settings.logging.level)
    if sys.stderr.isatty() and not reload:
        typer.echo("Starting …", err=True)
        # Instead of what they write of a start, `_announce` prints the result.
        for name in ("alembic.runtime.migration", "uvicorn.error"):
            logging.getLogger(name).setLevel(logging.WARNING)
    # uvicorn raises the signal again when it has drained: then we exit with 0.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    cluster = None
    if settings.database.url is None:  # starts while the web app is being imported
        cluster = embedded_postgres(
            settings.home, durable=settings.database.durable
        ).begin()
    try:
        _run(settings, reload=reload)
    finally:
        if cluster is not None:
            cluster.release()


def reloaded_app() -> "AppWithWorker":
    """Return the app in a process that reads settings itself; flags do not reach it."""
    from dossier.main import create_app  # noqa: PLC0415 - the database starts meanwhile

    settings = Settings()
    configure_logging(settings.logging.level)
    return AppWithWorker(create_app(settings), has_worker=settings.jobs.child)


def _chosen(
    settings: Settings, host: str | None, port: int | None, *, no_worker: bool
) -> Settings:
    """Return the settings with what the command line says instead."""
    given = {"host": host, "port": port}
    web = {key: value for key, value in given.items() if value is not None}
    jobs = {"child": False} if no_worker else {}
    return settings.model_copy(
        update={
            "web": settings.web.model_copy(update=web),
            "jobs": settings.jobs.model_copy(update=jobs),
        }
    )


def _refuse_taken_port(host: str, port: int) -> None:
    """Check the port before a database is started, which takes longer."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server
        try:
            probe.bind((host, port))
        except OSError as exc:
            message = (
                f"Port {port} of {host} cannot be used: {exc.strerror}. "
                "Choose another one with --port; --port 0 takes a free one."
            )
            typer.echo(message, err=True)
            raise typer.Exit(2) from exc


def _run(settings: Settings, *, reload: bool) -> None:
    gc.disable()  # until the app is made: nothing of it is garbage
    import uvicorn  # noqa: PLC0415 - the database starts meanwhile

    from dossier.core.http_protocol import BoundedHttpProtocol  # noqa: PLC0415 - the same

    options: dict[str, Any] = {
        "http": partial(
            BoundedHttpProtocol, trusted_proxies=settings.web.trusted_proxies
        ),
        "host": settings.web.host,
        "port": settings.web.port,
        "log_config": None,
        "ws": "none",  # there is no route for one, and the library takes 10 ms
        "access_log": sys.stderr.isatty(),  # elsewhere our own line says more
        "proxy_headers": False,  # only `web.trusted_proxies` count
        "server_header": False,
        "timeout_graceful_shutdown": GRACE_S,
    }
    if reload:
        # Each process that serves has a worker of its own, of the same code.
        os.environ["DOSSIER_JOBS__CHILD"] = str(settings.jobs.child)
        path = f"{__name__}:{reloaded_app.__name__}"
        options["timeout_graceful_shutdown"] = RELOAD_GRACE_S
        if settings.web.port:  # otherwise uvicorn prints which one it took
            _announce(settings, settings.web.port)
        uvicorn.run(path, factory=True, reload=True, **options)
        return
    from dossier.main import create_app  # noqa: PLC0415 - the same

    app = create_app(settings)
    served = AppWithWorker(app, has_worker=settings.jobs.child)
    server = _server_type(settings, app, served)(uvicorn.Config(served, **options))
    gc.freeze()
    gc.enable()
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise served.failure or SystemExit(START_FAILED)


def _announce(settings: Settings, port: int) -> None:
    """Print address, mode and how to stop, where a person reads standard error."""
    if not sys.stderr.isatty():
        return
    host = f"[{settings.web.host}]" if ":" in settings.web.host else settings.web.host
    mode = (
        "open: no log-in, for this machine alone"
        if settings.auth.mode == "open"
        else "password: `dossier create-org` and `dossier create-user` make accounts"
    )
    typer.echo(
        f"\nDossier {dossier.__version__} at http://{host}:{port}\n"
        f"  Mode  {mode}\n"
        f"  Data  {settings.home}\n"
        "  Stop  Ctrl+C\n",
        err=True,
    )


def _server_type(
    settings: Settings, app: "FastAPI", served: "AppWithWorker"
) -> "type[uvicorn.Server]":
    """Return a server that ends streams and the worker at the signal to stop.

    Left to the end of the lifespan, that would come after the streams, which would
    wait for their jobs: all of the grace would go by.
    """
    import uvicorn  # noqa: PLC0415 - the database starts meanwhile

    class WebServer(uvicorn.Server):
        @override
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                _announce(settings, self.servers[0].sockets[0].getsockname()[1])

        @override
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(app.state.job_follower.close())
                group.create_task(served.stop_worker())
                group.create_task(super().shutdown(sockets))

    return WebServer


class AppWithWorker:
    """The app with a worker process beside it, from its start to its end.

    An `AppError` at the start is kept for the command to report: the server would write
    a traceback and end with a code of its own.
    """

    def __init__(self, app: "ASGIApp", *, has_worker: bool) -> None:
        self._app = app
        self._has_worker = has_worker
        self._worker: WorkerChild | None = None
        self.failure: AppError | None = None

    async def stop_worker(self) -> None:
        """Stop the worker process, if there is one."""
        if self._worker is not None:
            await self._worker.stop()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve one connection, or the start and the end of the server."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_without_traceback(message: "Message") -> None:
            error = sys.exception()  # the framework sends from its `except` clause
            if message["type"] == "lifespan.startup.failed" and isinstance(
                error, AppError
            ):
                self.failure = error
                message = {"type": message["type"]}
            await send(message)
            if message["type"] == "lifespan.startup.complete" and self._has_worker:
                self._worker = WorkerChild()
                self._worker.start()

        try:
            await self._app(scope, receive, send_without_traceback)
        finally:
            await self.stop_worker()
