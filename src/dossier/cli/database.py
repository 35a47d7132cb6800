"""`dossier migrate` and `dossier postgres`: the database from the command line."""

import asyncio
import io
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer
from alembic import command
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from dossier.core import migrate as migrations
from dossier.core.embedded.cluster import embedded_postgres
from dossier.core.embedded.layout import PORT, locate, wheel_binaries
from dossier.core.revision import DatabaseNotReadyError, reaching
from dossier.core.settings import Settings
from dossier.core.startup import database_url, serving_url

app = typer.Typer()
migrate = typer.Typer()
app.add_typer(migrate, name="migrate")

_BASE = "base"


@migrate.callback(invoke_without_command=True)
def apply(
    context: typer.Context,
    to: Annotated[
        str, typer.Option(help="Revision to go to, up or down; `base` removes all.")
    ] = "head",
    *,
    sql: Annotated[
        bool, typer.Option("--sql", help="Print the SQL and change nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Go down without asking: rows are lost.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 when behind; change nothing.")
    ] = False,
    current: Annotated[
        bool, typer.Option("--current", help="Print the revision; change nothing.")
    ] = False,
) -> None:
    """Bring the database to the newest revision, or to another one."""
    if context.invoked_subcommand is not None:
        return
    if check + current + sql > 1:
        message = "Only one of --check, --current and --sql."
        raise typer.BadParameter(message)
    if current:
        typer.echo(asyncio.run(_read_current()) or _BASE)
    elif check:
        _check(asyncio.run(_read_current()))
    else:
        target = to
        if target != _BASE:
            try:
                target = _scripts().get_revision(to).revision  # the full name
            except CommandError as error:
                message = f"{error}. `dossier migrate history` lists them all."
                raise typer.BadParameter(message, param_hint="--to") from error
        asyncio.run(_apply(target, as_sql=sql, is_agreed=yes))


@migrate.command()
def history() -> None:
    """List the revisions, newest first, and mark those that are applied."""
    current = asyncio.run(_read_current())
    is_applied = False
    for script in _scripts().walk_revisions():
        is_applied = is_applied or script.revision == current
        mark = "applied" if is_applied else "pending"
        typer.echo(f"{mark}  {script.revision:<16}  {script.doc}")


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def postgres(
    context: typer.Context,
    program: Annotated[str, typer.Argument(help="pg_dump, pg_restore, psql, …")],
) -> None:
    """Run a program of PostgreSQL on the embedded database, started if need be."""
    settings = Settings()
    if settings.database.url:
        message = "DOSSIER_DATABASE__URL is set: use the programs of that server."
        raise typer.BadParameter(message)
    with embedded_postgres(settings.home):
        path = wheel_binaries() / program
        if os.sep in program or not path.is_file():
            names = ", ".join(sorted(entry.name for entry in path.parent.iterdir()))
            message = f"There is no program {program}; there are {names}."
            raise typer.BadParameter(message)
        connection = {
            "PGHOST": str(locate(settings.home).sockets),
            "PGPORT": str(PORT),
            "PGUSER": "postgres",
            "PGDATABASE": "dossier",
        }
        ended = subprocess.run(  # noqa: S603 - the operator's own words, no shell
            [str(path), *context.args], env=os.environ | connection, check=False
        )
        raise typer.Exit(ended.returncode)


async def _read_current() -> str | None:
    async with _database_revision() as (_, current):
        return current


def _check(current: str | None) -> None:
    """Print how many revisions are missing; exit 1 unless there are none."""
    _refuse_newer(current)
    missing = 0
    for script in _scripts().walk_revisions():  # newest first
        if script.revision == current:
            break
        missing += 1
    if missing:
        typer.echo(
            f"The database is at {current or _BASE}, {missing} revisions behind: "
            "run `dossier migrate`."
        )
        raise typer.Exit(1)
    typer.echo(f"The database is at {current}, the newest revision.")


async def _apply(target: str, *, as_sql: bool, is_agreed: bool) -> None:
    async with _database_revision() as (url, current):
        if as_sql:
            config = migrations.alembic_config()
            config.output_buffer = printed = io.StringIO()
            verb = command.downgrade if _is_below(target, current) else command.upgrade
            if current != target:
                verb(config, f"{current or _BASE}:{target}", sql=True)
            # Roles and extensions are made outside of Alembic, before it.
            typer.echo(printed.getvalue(), nl=False)
            return
        if _is_below(target, current):
            if not is_agreed:
                question = f"Go down from {current} to {target}, losing rows?"
                typer.confirm(question, abort=True)
            await migrations.downgrade(url, target)
        else:
            settings = Settings()
            serving = serving_url(settings, settings.database.url or url)
            await migrations.upgrade(url, target, serving_url=serving)
        typer.echo(f"The database is at {target}.")


@asynccontextmanager
async def _database_revision() -> AsyncIterator[tuple[str, str | None]]:
    """Yield the URL for migrations and the database's revision."""
    settings = Settings()
    async with (
        database_url(settings) as url,
        migrations.owner_engine(settings, url) as engine,
    ):
        with reaching():
            async with engine.connect() as connection:
                revision = await migrations.current_revision(connection)
        yield settings.database.owner_url or url, revision


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(migrations.alembic_config())


def _is_below(target: str, current: str | None) -> bool:
    """Return whether `target` is reached from `current` by going down."""
    if current is None or target == current:
        return False
    _refuse_newer(current)
    scripts = _scripts()
    older = {script.revision for script in scripts.walk_revisions(_BASE, current)}
    return target == _BASE or target in older


def _refuse_newer(current: str | None) -> None:
    """Raise where the database has a revision that this version does not have."""
    if current and current not in {
        script.revision for script in _scripts().walk_revisions()
    }:
        detail = (
            f"The database is at {current}, which only a newer version knows. Install "
            "that version, or go down with it: docs/operations.md, `Roll back`."
        )
        raise DatabaseNotReadyError(detail)
