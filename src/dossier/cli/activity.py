"""`dossier activity`: verify the trail from the command line."""

import asyncio
from typing import Annotated
from uuid import UUID

import orjson
import typer

from dossier.activity.rules import Head
from dossier.activity.schemas import VerifyResponse
from dossier.activity.service import ActivityService
from dossier.core.database import system_transaction, tenant_transaction
from dossier.core.settings import Settings
from dossier.core.startup import opened_database
from dossier.core.tenancy import Actor

app = typer.Typer(no_args_is_help=True)


@app.callback()
def activity() -> None:
    """Look after the trail of who did what."""


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
    """Recompute the chains; exit code 1 where one does not hold."""
    if head and org is None:
        message = "a head belongs to one organisation: give --org"
        raise typer.BadParameter(message, param_hint="--head")
    verdicts = asyncio.run(_verify(org, _parse_head(head) if head else None))
    for org_id, verdict in verdicts.items():
        line = {"organisation_id": str(org_id)} | verdict.model_dump(mode="json")
        typer.echo(orjson.dumps(line))
    if any(verdict.first_broken for verdict in verdicts.values()):
        raise typer.Exit(1)


def _parse_head(text: str) -> Head:
    position, _, chain = text.partition(":")
    if not position.isdecimal() or not chain:
        message = "expected POSITION:CHAIN_HASH, as `verify` prints them"
        raise typer.BadParameter(message, param_hint="--head")
    return Head(int(position), chain)


async def _verify(org: UUID | None, head: Head | None) -> dict[UUID, VerifyResponse]:
    verdicts = {}
    async with opened_database(Settings()) as database:
        async with system_transaction(database.sessions) as session:
            everyone = await ActivityService.organisations(session)
        for org_id in [org] if org else everyone:
            async with tenant_transaction(database.sessions, org_id) as session:
                service = ActivityService(session, Actor.system(org_id))
                verdicts[org_id] = await service.verify(head)
    return verdicts
