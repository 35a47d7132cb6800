"""Whether the process lives, and whether it can serve; no log-in, no secrets."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Literal

from fastapi import APIRouter, Request, Response, status
from sqlalchemy import text

import dossier
from dossier.core.database import DatabaseEngine
from dossier.core.errors import UnavailableError
from dossier.core.problems import DATABASE_RETRY_S, as_app_error
from dossier.core.revision import head_revision
from dossier.core.schemas import ResponseModel
from dossier.core.web import PUBLIC, AppSettings

HealthCheck = Callable[[], Awaitable[None]]
"""Returns when all is well, raises when not."""

router = APIRouter(tags=["health"])

CHECK_TIMEOUT_S = 1.5
"""A probe waits a second or two; `/ready` answers before that."""

_OK = b'{"status":"ok"}'


class MigrationsPendingError(UnavailableError):
    """The database is not at the newest revision."""

    title = "Migrations pending"


class QueueAwayError(UnavailableError):
    """Jobs cannot be put into the queue."""

    title = "The queue is away"


class HealthResponse(ResponseModel):
    """The process answers."""

    status: Literal["ok"]


class CheckResponse(ResponseModel):
    """The result of one check."""

    status: Literal["ok", "failed"]
    ms: float
    detail: str | None


class ReadyResponse(ResponseModel):
    """Whether requests can be served, check by check."""

    status: Literal["ok", "failed"]
    checks: dict[str, CheckResponse]


class InfoResponse(ResponseModel):
    """The version of the server, and how to log in."""

    name: str
    version: str
    api: str
    auth_mode: str


@router.get("/health", response_model=HealthResponse, openapi_extra=PUBLIC)
async def health() -> Response:
    """Report that the process runs."""
    return Response(_OK, media_type="application/json")


@router.get("/live", response_model=HealthResponse, openapi_extra=PUBLIC)
async def live() -> Response:
    """Report that the process runs, without a check of the database."""
    return Response(_OK, media_type="application/json")


@router.get(
    "/ready",
    openapi_extra=PUBLIC,
    responses={503: {"model": ReadyResponse, "description": "Not ready."}},
)
async def ready(request: Request, response: Response) -> ReadyResponse:
    """Check the database, its revision, the queue and the storage."""
    return await _report(request.app.state.checks, response)


@router.get(
    "/health/db",
    openapi_extra=PUBLIC,
    responses={503: {"model": ReadyResponse, "description": "Not reachable."}},
)
async def health_db(request: Request, response: Response) -> ReadyResponse:
    """Check the database alone."""
    checks: dict[str, HealthCheck] = request.app.state.checks
    return await _report({"database": checks["database"]}, response)


@router.get("/info", openapi_extra=PUBLIC)
async def info(settings: AppSettings) -> InfoResponse:
    """Show the version of the server."""
    return InfoResponse(
        name="dossier",
        version=dossier.__version__,
        api="/api/v1",
        auth_mode=settings.auth.mode,
    )


def database_checks(engine: DatabaseEngine) -> dict[str, HealthCheck]:
    """Return the checks of the database: that it answers, and its revision."""

    async def database() -> None:
        async with engine.connect() as connection:
            await connection.execute(text("select 1"))

    async def migrations() -> None:
        async with engine.connect() as connection:
            revision = await connection.scalar(
                text("select version_num from alembic_version")
            )
        if revision != head_revision():
            detail = (
                f"The database is at {revision}, this version needs {head_revision()}."
            )
            raise MigrationsPendingError(detail)

    return {"database": database, "migrations": migrations}


def insert_check(engine: DatabaseEngine, table: str) -> HealthCheck:
    """Return the check that rows can be put into a table."""

    async def check() -> None:
        async with engine.connect() as connection:
            query = text("select has_table_privilege(:table, 'insert')")
            if not await connection.scalar(query, {"table": table}):
                raise QueueAwayError

    return check


_cancelled: set[asyncio.Task[CheckResponse]] = set()


async def _report(checks: dict[str, HealthCheck], response: Response) -> ReadyResponse:
    """Run the checks side by side; one that gives no answer in time has failed."""
    tasks = {
        name: asyncio.create_task(_answer_of(check)) for name, check in checks.items()
    }
    _, silent = await asyncio.wait(tasks.values(), timeout=CHECK_TIMEOUT_S)
    for task in silent:
        # Not awaited: closing a connection to a server that hangs takes seconds.
        task.cancel()
        _cancelled.add(task)
        task.add_done_callback(_cancelled.discard)
    detail = f"No answer in {CHECK_TIMEOUT_S:g} s."
    late = CheckResponse(status="failed", ms=CHECK_TIMEOUT_S * 1000, detail=detail)
    answers = {
        name: late if task in silent else task.result() for name, task in tasks.items()
    }
    is_ready = all(answer.status == "ok" for answer in answers.values())
    if not is_ready:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        response.headers["retry-after"] = str(DATABASE_RETRY_S)
    return ReadyResponse(status="ok" if is_ready else "failed", checks=answers)


async def _answer_of(check: HealthCheck) -> CheckResponse:
    started_s = time.perf_counter()
    detail = None
    try:
        await check()
    except Exception as exc:  # noqa: BLE001 - a check may fail in any way; it says how
        error = as_app_error(exc)
        # A name says enough in public; addresses and users stay out.
        named = isinstance(error, UnavailableError)
        detail = error.detail if named else type(exc).__name__
    ms = round((time.perf_counter() - started_s) * 1000, 2)
    return CheckResponse(status="failed" if detail else "ok", ms=ms, detail=detail)
