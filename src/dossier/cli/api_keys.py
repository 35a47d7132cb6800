"""`dossier api-key`: keys for programs, made and revoked on the server."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from pydantic import ValidationError

from dossier.accounts.constants import Scope
from dossier.accounts.models import ApiKey
from dossier.accounts.schemas import ApiKeyCreate, ApiKeyResponse
from dossier.accounts.service import rights
from dossier.accounts.service.api_keys import ApiKeysService
from dossier.accounts.service.organisations import OrganisationsService
from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import tenant_transaction
from dossier.core.pagination import MAX_LIMIT, PageParams
from dossier.core.settings import Settings
from dossier.core.startup import opened_database

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)

UserOption = Annotated[
    str | None,
    typer.Option(help="E-mail address to act for; open mode has one member only."),
]


@app.callback()
def api_key() -> None:
    """Make, list and revoke API keys."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    user: UserOption = None,
    scope: Annotated[
        list[Scope] | None, typer.Option(help="Repeat it; read and write without it.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Until it expires.")
    ] = None,
) -> None:
    """Make a key in a member's name and print its token, this once."""
    scopes = set(scope or [Scope.READ, Scope.WRITE])
    expires_at = None if days is None else now() + timedelta(days=days)
    try:  # the API's schema, so that both accept the same keys
        request = ApiKeyCreate(name=name, scopes=scopes, expires_at=expires_at)
    except ValidationError as exc:
        message = exc.errors()[0]["msg"].removeprefix("Value error, ")
        raise typer.BadParameter(message, param_hint="name") from exc
    key, token = _as_member(user, lambda keys: keys.create_api_key(request))
    typer.echo(f"Key: {key.id}", err=True)
    typer.echo(token)


@app.command("list")
def list_keys(user: UserOption = None) -> None:
    """Print the keys that a member sees, one JSON object a line."""
    for key in _as_member(user, _all_keys):
        typer.echo(ApiKeyResponse.model_validate(key).model_dump_json())


@app.command()
def revoke(
    key_id: Annotated[UUID, typer.Argument(help="Id of the key.")],
    user: UserOption = None,
) -> None:
    """Revoke a key for good."""
    _as_member(user, lambda keys: keys.revoke_api_key(key_id))


async def _all_keys(keys: ApiKeysService) -> list[ApiKey]:
    found: list[ApiKey] = []
    while True:
        page = await keys.list_api_keys(PageParams(MAX_LIMIT, len(found)))
        found += page.items
        if len(page.items) < MAX_LIMIT:
            return found


def _as_member(user: str | None, action: Callable[[ApiKeysService], Awaitable[T]]) -> T:
    """Run an action on the keys as the member, or as the owner of open mode."""
    settings = Settings()
    if user is None and settings.auth.mode != "open":
        message = (
            "with log-in there is no local owner: give the e-mail address of a member"
        )
        raise typer.BadParameter(message, param_hint="--user")

    async def run() -> T:
        async with opened_database(settings) as database:
            organisations = OrganisationsService(database.sessions)
            actor = await (
                organisations.member_of(user) if user else organisations.ensure_local()
            )
            async with tenant_transaction(database.sessions, actor.org_id) as session:
                actor = await rights.confirm(session, actor)
                activity = ActivityService(session, actor)
                keys = ApiKeysService(session, actor, activity, lambda: None)
                return await action(keys)

    return asyncio.run(run())
