"""`dossier doctor`: what is wrong on this machine, and how to repair it.

Changes nothing, except that it starts the embedded database to examine it.
"""

import asyncio
import logging
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import asyncpg
import orjson
import typer
from sqlalchemy import make_url

from dossier.core.database import APP_ROLE, SYSTEM_ROLE, UNREACHABLE
from dossier.core.embedded.errors import EmbeddedDatabaseError
from dossier.core.errors import AppError
from dossier.core.revision import (
    CONNECT_TIMEOUT_S,
    MAY_ACT_AS,
    ROLES,
    head_revision,
)
from dossier.core.settings import Settings, SourcesSettings
from dossier.core.startup import SUPERUSER_REMEDY, database_url, serving_url
from dossier.integrations.literature.sources import SOURCES
from dossier.integrations.parsing.containment import (
    REQUIRED,
    Layer,
    layers_in_force,
)
from dossier.integrations.parsing.reader import SandboxBrokenError, limits_of, run
from dossier.integrations.pdf.fonts import find_font
from dossier.integrations.queue.client import TABLE
from dossier.integrations.storage.client import open_store

app = typer.Typer()

CheckState = Literal["ok", "weak", "wrong"]
"""`weak` works, and could be safer: it does not make the command fail."""

_MIN_SERVER_VERSION = 150_000  # 15, as `server_version_num` has it
_MIGRATE = "Run `dossier migrate`."
_REVISION = "select version_num from alembic_version"
_FACTS = f"""
select current_setting('server_version') as version,
       current_setting('server_version_num')::int as number,
       (select default_version from pg_available_extensions where name = 'vector')
         as vector,
       to_regclass('public.alembic_version') is not null as is_migrated,
       array(select name from unnest($1::text[]) as name
             where not exists (select from pg_roles where rolname = name)
                or not {MAY_ACT_AS.format(role="name")}) as unusable_roles,
       session_user as login,
       (select rolsuper from pg_roles where rolname = $2) as is_superuser
"""  # noqa: S608 - constants
_QUEUE = f"""
select count(*) as jobs,
       coalesce(extract(epoch from now() - min(execute_after)), 0)::float8 as age_s
from {TABLE} where status = 'queued' and execute_after <= now()
"""  # noqa: S608 - constants
_READERS_MEND = "See `Readers of documents` in docs/operations.md."
_LONGEST_WAIT_S = 60
"""A job that waits for longer has no worker, or too few."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that Dossier needs: its state, and how to repair it."""

    name: str
    state: CheckState
    detail: str
    mend: str | None = None


@app.command()
def doctor(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document.")
    ] = False,
) -> None:
    """Check database, fonts, storage, folders, readers, sources; exit 1 on a fault."""
    logging.disable()  # each fault is printed below, once and with its repair
    try:
        checks = asyncio.run(examine(Settings()))
    finally:
        logging.disable(logging.NOTSET)
    is_well = all(check.state != "wrong" for check in checks)
    if as_json:
        typer.echo(orjson.dumps({"ok": is_well, "checks": list(map(asdict, checks))}))
    else:
        for check in checks:
            typer.echo(f"{check.state:<6} {check.name:<11} {check.detail}")
            if check.mend:
                typer.echo(f"{'':<18} -> {check.mend}")
    raise typer.Exit(0 if is_well else 1)


async def examine(settings: Settings) -> list[Check]:
    """Return all checks; one that fails does not prevent the others."""
    return [
        check_folder("home", settings.home),
        *await _check_database(settings),
        check_font(settings.reports.font_dir),
        check_sources(settings.sources),
        await check_storage(settings),
        await check_readers(settings),
    ]


def check_folder(name: str, folder: Path) -> Check:
    """Check that files can be written into a folder, by writing one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"0")
            probe.flush()
    except OSError as error:
        mend = "Free space there, or set DOSSIER_HOME to a folder that you may write."
        return Check(name, "wrong", f"{folder}: {error.strerror}", mend)
    return Check(name, "ok", f"{folder} can be written")


def check_font(font_dir: Path | None) -> Check:
    """Check that there is a font with Chinese glyphs for the PDF."""
    try:
        font = find_font(font_dir)
    except AppError as error:
        mend = "Install `fonts-noto-cjk`, or run `make install`."
        return Check("font", "wrong", error.detail, mend)
    return Check("font", "ok", f"{font.family} ({font.source}, {font.file})")


def check_sources(settings: SourcesSettings) -> Check:
    """State which outside sources are asked; the name of an ingredient may tell."""
    if settings.mode != "live":
        detail = f"no outside source is asked (DOSSIER_SOURCES__MODE={settings.mode})"
        return Check("sources", "ok", detail)
    detail = f"asked: {', '.join(SOURCES)}"
    if settings.contact is None:
        mend = "Set DOSSIER_SOURCES__CONTACT: PubMed and Wikipedia ask for an address."
        return Check("sources", "weak", detail, mend)
    return Check("sources", "ok", detail)


async def check_storage(settings: Settings) -> Check:
    """Check that the bytes of documents can be stored, by storing some."""
    place = settings.storage.url or str(settings.home / "blobs")
    try:
        await open_store(settings.storage.url, settings.home).check_writable()
    except AppError as error:
        mend = "Check DOSSIER_STORAGE__URL and its keys, or free space in the home."
        reason = str(error.__cause__ or error.detail).partition("\n")[0]
        return Check("storage", "wrong", f"{place}: {reason}", mend)
    return Check("storage", "ok", f"{place} can be written")


async def check_readers(settings: Settings) -> Check:
    """Check how a reader of documents is contained, in one that reads this module."""
    reports = f"{layers_in_force.__module__}:{layers_in_force.__name__}"
    limits = limits_of(settings.limits)
    try:
        layers = await run(reports, Path(__file__), list[Layer], limits=limits)
    except SandboxBrokenError as error:
        return Check("readers", "wrong", str(error).strip(), _READERS_MEND)
    lacking = [
        layer
        for layer in Layer
        if layer not in layers and (layer is not Layer.USER or os.geteuid() == 0)
    ]
    detail = f"contained by {', '.join(layers) or 'limits of memory and time alone'}"
    if not lacking:
        return Check("readers", "ok", detail)
    detail += f"; not by {', '.join(lacking)}"
    if set(layers) >= REQUIRED:
        return Check("readers", "ok", detail)
    return Check("readers", "weak", detail, _READERS_MEND)


async def _check_database(settings: Settings) -> list[Check]:
    """Check server, extension, roles and revision; one check if it is unreachable."""
    try:
        async with database_url(settings) as url:
            return await _examine_server(settings, url)
    except EmbeddedDatabaseError as error:
        return [Check("database", "wrong", error.reason, error.remedy)]
    except UNREACHABLE as error:
        detail = f"{type(error).__name__}: {error}"
        mend = "Check DOSSIER_DATABASE__URL, the server and the network between."
        return [Check("database", "wrong", detail, mend)]


async def _examine_server(settings: Settings, url: str) -> list[Check]:
    # With an `owner_url` another log-in owns the tables: ours acts as these two only.
    roles = [APP_ROLE, SYSTEM_ROLE] if settings.database.owner_url else list(ROLES)
    connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S)
    try:
        serving = make_url(serving_url(settings, url)).username or ""
        facts = (await connection.fetch(_FACTS, roles, serving))[0]
        kind = "of your own" if settings.database.url else "embedded"
        checks = [
            check_version(kind, facts["version"], facts["number"]),
            check_vector(facts["vector"]),
            check_roles(facts["unusable_roles"], facts["login"]),
            check_login(serving, is_superuser=facts["is_superuser"]),
        ]
        if not facts["unusable_roles"]:  # otherwise the revision cannot be read
            revision = None
            if facts["is_migrated"]:
                await connection.execute(f"set role {APP_ROLE}")
                revision = await connection.fetchval(_REVISION)
            checks.append(check_revision(revision))
            if revision == head_revision():
                await connection.execute(f"set role {SYSTEM_ROLE}")
                waiting = (await connection.fetch(_QUEUE))[0]
                checks.append(check_queue(waiting["jobs"], waiting["age_s"]))
    finally:
        await connection.close()
    return checks


def check_version(kind: str, version: str, number: int) -> Check:
    """Check that the server is new enough."""
    detail = f"PostgreSQL {version}, {kind}"
    if number < _MIN_SERVER_VERSION:
        mend = "Move to PostgreSQL 15 or newer."
        return Check("database", "wrong", detail, mend)
    return Check("database", "ok", detail)


def check_vector(version: str | None) -> Check:
    """Check that the server offers the extension for vectors."""
    if version is None:
        mend = "Install pgvector on the server (`postgresql-18-pgvector` on Debian)."
        return Check("pgvector", "wrong", "The server does not offer it.", mend)
    return Check("pgvector", "ok", f"version {version}")


def check_roles(unusable: list[str], login: str) -> Check:
    """Check that the roles exist and that our log-in may act as them."""
    if unusable:
        names = ", ".join(unusable)
        detail = f"missing, or not granted to {login}: {names}"
        mend = f"{_MIGRATE} Still so? As the owner: `grant {names} to {login}`."
        return Check("roles", "wrong", detail, mend)
    return Check("roles", "ok", f"{login} can act as them")


def check_login(login: str, *, is_superuser: bool | None) -> Check:
    """Check that web and workers log in without rights of their own."""
    if is_superuser is None:
        return Check("log-in", "wrong", f"There is no {login}.", _MIGRATE)
    if is_superuser:
        detail = f"{login}, which serves, is a superuser"
        return Check("log-in", "weak", detail, SUPERUSER_REMEDY)
    return Check("log-in", "ok", f"{login} serves, without rights of its own")


def check_queue(jobs: int, age_s: float) -> Check:
    """Check that a worker takes jobs from the queue."""
    if age_s > _LONGEST_WAIT_S:
        detail = f"{jobs} jobs wait, the oldest for {age_s:.0f} s"
        mend = "Start `dossier worker`, or `dossier serve` without `--no-worker`."
        return Check("worker", "wrong", detail, mend)
    return Check("worker", "ok", f"{jobs} jobs wait")


def check_revision(revision: str | None) -> Check:
    """Check that the database is where this version needs it."""
    head = head_revision()
    if revision != head:
        detail = f"at {revision or 'no revision'}, this version needs {head}"
        return Check("migrations", "wrong", detail, _MIGRATE)
    return Check("migrations", "ok", f"at {head}")
