"""Alembic's entry: runs on a given connection, or prints SQL."""

import asyncio
from contextlib import AsyncExitStack

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection

from dossier.core.database import OWNER_ROLE
from dossier.core.models import Base, load_models

load_models()


def run(connection: Connection | None, *, as_sql: bool = False) -> None:
    """Run the migrations as the role that owns the tables."""
    context.configure(
        connection=connection,
        dialect_name="postgresql",
        target_metadata=Base.metadata,
        as_sql=as_sql,
        literal_binds=as_sql,
        transaction_per_migration=True,
        compare_type=True,
    )
    with context.begin_transaction():
        # A migration that cannot get its lock gives up instead of stopping the site.
        context.execute("set lock_timeout = '5s'")
        context.execute(f"set role {OWNER_ROLE}")
        context.run_migrations()


async def run_alone() -> None:
    """Serve Alembic's own commands with the configured or embedded database."""
    from dossier.core.errors import AppError  # noqa: PLC0415 - only here
    from dossier.core.migrate import owner_engine  # noqa: PLC0415 - only here
    from dossier.core.revision import reaching  # noqa: PLC0415 - only here
    from dossier.core.settings import Settings  # noqa: PLC0415 - only here
    from dossier.core.startup import database_url  # noqa: PLC0415 - only here

    settings = Settings()
    try:
        async with (
            database_url(settings) as url,
            owner_engine(settings, url) as engine,
            AsyncExitStack() as stack,
        ):
            with reaching():
                connection = await stack.enter_async_context(engine.connect())
            await connection.run_sync(run)
            await connection.commit()
    except AppError as exc:
        # Alembic prints its own errors in one line, others as a traceback.
        raise CommandError(exc.detail) from exc


handed: Connection | None = context.config.attributes.get("connection")
if context.is_offline_mode():
    run(None, as_sql=True)
elif handed is not None:
    run(handed)
else:
    asyncio.run(run_alone())
