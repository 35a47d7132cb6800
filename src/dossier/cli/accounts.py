"""`dossier create-org` and `create-user`: the first users of a server."""

import asyncio
import secrets
import sys
from typing import Annotated
from uuid import UUID

import typer
from pydantic import ValidationError

from dossier.accounts.constants import OrganisationKind, Role
from dossier.accounts.models import Membership, Organisation, User
from dossier.accounts.schemas import (
    MAX_NAME_LENGTH,
    MIN_PASSWORD_LENGTH,
    UserCreate,
)
from dossier.accounts.service.organisations import OrganisationsService
from dossier.core.schemas import refuse_steering
from dossier.core.security import Passwords
from dossier.core.settings import Settings
from dossier.core.startup import opened_database

app = typer.Typer(no_args_is_help=True)


@app.command("create-org")
def create_org(
    name: Annotated[str, typer.Argument(help="Its name.")],
    kind: Annotated[
        OrganisationKind, typer.Option(help="Its role for its products.")
    ] = OrganisationKind.BRAND,
) -> None:
    """Make an organisation and print its id."""

    async def create() -> Organisation:
        async with opened_database(Settings()) as database:
            service = OrganisationsService(database.sessions)
            return await service.create_organisation(name, kind)

    name = name.strip()
    if not 0 < len(name) <= MAX_NAME_LENGTH:
        message = f"1 to {MAX_NAME_LENGTH} characters are expected"
        raise typer.BadParameter(message, param_hint="name")
    try:
        refuse_steering(name)
    except ValueError as exc:
        raise typer.BadParameter(str(exc), param_hint="name") from exc
    typer.echo(asyncio.run(create()).id)


@app.command("create-user")
def create_user(
    email: Annotated[str, typer.Argument(help="E-mail address to log in with.")],
    org: Annotated[UUID, typer.Option(help="Id of the organisation.")],
    role: Annotated[Role, typer.Option(help="What the user may do.")] = Role.OWNER,
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    *,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from a pipe.")
    ] = False,
) -> None:
    """Make a user; the password is prompted for, piped in, or generated and shown."""
    password = _password(password_stdin=password_stdin)
    given = {
        "email": email,
        "name": name or email.partition("@")[0],
        "role": role,
        "password": password,
    }
    try:  # the API's schema, so that both accept the same users
        user = UserCreate.model_validate(given)
    except ValidationError as exc:
        message = "; ".join(
            f"{error['loc'][0]}: {error['msg'].removeprefix('Value error, ')}"
            for error in exc.errors()
        )
        raise typer.BadParameter(message) from exc
    member = asyncio.run(_create_user(Settings(), org, user))
    typer.echo(member.user_id)


def _password(*, password_stdin: bool) -> str:
    if password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if sys.stdin.isatty():
        typed: str = typer.prompt(
            "Password (empty: make one)",
            default="",
            show_default=False,
            hide_input=True,
            confirmation_prompt=True,
        )
        if typed:
            return typed
    made = secrets.token_urlsafe(MIN_PASSWORD_LENGTH)
    typer.echo(f"Password: {made}", err=True)
    return made


async def _create_user(
    settings: Settings, org_id: UUID, user: UserCreate
) -> Membership:
    passwords = Passwords()
    try:
        async with opened_database(settings) as database:
            return await OrganisationsService(database.sessions).create_user(
                org_id,
                User(email=user.email, name=user.name, password_hash=None),
                user.role,
                password=user.password.get_secret_value(),
                passwords=passwords,
            )
    finally:
        passwords.close()
