"""`dossier activity`: verify the activity log from the command line."""

import asyncio
import re
from pathlib import Path
from typing import Annotated
from uuid import UUID

import orjson
import typer

from dossier.activity.schemas import HeadRequest, VerifyResponse
from dossier.activity.service import ActivityService
from dossier.activity.types import ChainHead
from dossier.core.database import system_transaction, tenant_transaction
from dossier.core.settings import Settings
from dossier.core.startup import opened_database
from dossier.core.tenancy import Actor

app = typer.Typer(no_args_is_help=True)

_CHAIN_HASH = re.compile(r"[0-9a-f]{64}")


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
        typer.Option(
            help="An exported head: POSITION:CHAIN_HASH, or a file with what `verify` "
            "printed; needs --org."
        ),
    ] = None,
) -> None:
    """Recompute the hash chains; exit code 1 where one does not match."""
    if head and org is None:
        message = "a head belongs to one organisation: give --org"
        raise typer.BadParameter(message, param_hint="--head")
    expected = _exported_head(head, org) if head else None
    results = asyncio.run(_verify(org, expected))
    for org_id, result in results.items():
        line = {"organisation_id": str(org_id)} | result.model_dump(mode="json")
        typer.echo(orjson.dumps(line))
    if any(result.first_broken for result in results.values()):
        raise typer.Exit(1)


def _exported_head(given: str, org: UUID | None) -> ChainHead:
    """Return a head as it is written, or the organisation's in a file of lines."""
    position, _, chain = given.partition(":")
    if position.isdecimal() and _CHAIN_HASH.fullmatch(chain):
        return ChainHead(int(position), chain)
    try:
        for line in Path(given).read_bytes().splitlines():
            exported = orjson.loads(line)
            if exported["organisation_id"] == str(org):
                head = HeadRequest.model_validate(exported["head"])
                return ChainHead(head.position, head.chain_hash)
    except (OSError, ValueError, KeyError, TypeError) as exc:
        message = "neither POSITION:CHAIN_HASH nor a file with what `verify` printed"
        raise typer.BadParameter(message, param_hint="--head") from exc
    message = f"{given} has no head of {org}"
    raise typer.BadParameter(message, param_hint="--head")


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
