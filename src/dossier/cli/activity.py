"""`dossier activity`: verify the activity log from the command line."""

import asyncio
from typing import Annotated
from uuid import UUID

import orjson
import typer

from dossier.activity.schemas import VerifyResponse
from dossier.activity.service import ActivityService
from dossier.activity.types import ChainHead
from dossier.core.database import system_transaction, tenant_transaction
from dossier.core.settings import Settings
from dossier.core.startup import opened_database
from dossier.core.tenancy import Actor

app = typer.Typer(no_args_is_help=True)


@app.callback()
def activity() -> None:
    """Check the log of who did what."""


@app.command()
def verify(
    org: Annotated[
        UUID | None, typer.Option(help="One organisation; all without it.")
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(help="An exported head, POSITION:CHAIN_HASH; needs --org."),
    ] = None,
) -> None:
    """Recompute the hash chains; exit code 1 where one does not match."""
    if head and org is None:
        message = "a head belongs to one organisation: give --org"
        raise typer.BadParameter(message, param_hint="--head")
    expected = None
    if head:
        position, _, chain = head.partition(":")
        if not position.isdecimal() or not chain:
            message = "expected POSITION:CHAIN_HASH, as `verify` prints them"
            raise typer.BadParameter(message, param_hint="--head")
        expected = ChainHead(int(position), chain)
    results = asyncio.run(_verify(org, expected))
    for org_id, result in results.items():
        line = {"organisation_id": str(org_id)} | result.model_dump(mode="json")
        typer.echo(orjson.dumps(line))
    if any(result.first_broken for result in results.values()):
        raise typer.Exit(1)


async def _verify(
    org: UUID | None, head: ChainHead | None
) -> dict[UUID, VerifyResponse]:
    results = {}
    async with opened_database(Settings()) as database:
        async with system_transaction(database.sessions) as session:
            org_ids = await ActivityService.organisations(session)
        for org_id in [org] if org else org_ids:
            async with tenant_transaction(database.sessions, org_id) as session:
                service = ActivityService(session, Actor.system(org_id))
                results[org_id] = await service.verify(head)
    return results
