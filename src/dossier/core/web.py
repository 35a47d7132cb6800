"""FastAPI dependencies of all routes: actor, transaction, sessions, reader.

`main.py` puts what they return on `app.state`.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.errors import ForbiddenError, UnauthenticatedError
from dossier.core.reads import TenantReader
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor

R = TypeVar("R")

PUBLIC: dict[str, Any] = {"x-public": True}
"""`openapi_extra` of a route that answers without a log-in."""

HEAD_KEY = "dossier.head"
"""Stands in the scope of a HEAD request, which is served as its GET without a body."""

UPLOAD: dict[str, Any] = {"x-upload": True}
"""`openapi_extra` of a route that reads its body in pieces, up to its own limit."""


class Authenticator(Protocol):
    """Turns a request into an actor, or raises `UnauthenticatedError`."""

    async def __call__(self, request: Request, /) -> Actor:
        """Return the authenticated actor."""
        ...


async def get_settings(request: Request) -> Settings:
    """Return the settings that the app was made with."""
    settings: Settings = request.app.state.settings
    return settings


async def get_sessions(request: Request) -> SessionFactory:
    """Return the factory of tenant sessions."""
    sessions: SessionFactory = request.app.state.sessions
    return sessions


async def get_actor(request: Request) -> Actor:
    """Return the authenticated actor."""
    authenticator: Authenticator = request.app.state.authenticator
    return await authenticator(request)


async def may_still_act(request: Request, actor: Actor) -> bool:
    """Return whether a request that lasts would still be authenticated as its caller.

    Meanwhile its token may expire or be revoked, and its user be deactivated.
    """
    try:
        now = await get_actor(request)
    except (UnauthenticatedError, ForbiddenError):
        return False
    return (now.org_id, now.user_id) == (actor.org_id, actor.user_id)


AppSettings = Annotated[Settings, Depends(get_settings)]
Sessions = Annotated[SessionFactory, Depends(get_sessions)]
CurrentActor = Annotated[Actor, Depends(get_actor)]


async def get_session(request: Request, actor: CurrentActor) -> AsyncIterator[Session]:
    """Open the request's one transaction; it commits before the answer is sent."""
    sessions: SessionFactory = request.app.state.sessions
    async with tenant_transaction(sessions, actor.org_id) as session:
        yield session


# Without `scope="function"` FastAPI commits after the response has been sent.
RequestSession = Annotated[Session, Depends(get_session, scope="function")]


async def get_reader(request: Request, actor: CurrentActor) -> TenantReader:
    """Return the reader of the actor's organisation; it opens no transaction."""
    return TenantReader(request.app.state.sessions, actor)


Reader = Annotated[TenantReader, Depends(get_reader)]


def model_response(model: BaseModel, status_code: int) -> Response:
    """Encode a model as its declared response is."""
    body = model.__pydantic_serializer__.to_json(model)
    return Response(body, status_code, media_type="application/json")


def operation_id(route: APIRoute) -> str:
    """Return a stable operation id: the endpoint's own name."""
    return route.name
