"""Routes of log-in and users."""

from uuid import UUID

from fastapi import Response, status

from dossier.accounts.dependencies import (
    Accounts,
    ReadAccounts,
    RequestOrigin,
    Signer,
    SignIn,
)
from dossier.accounts.models import Membership
from dossier.accounts.schemas import (
    LoginRequest,
    SelfUpdate,
    TokenResponse,
    UserCreate,
    UserResponse,
    UserUpdate,
)
from dossier.core.hot import hot
from dossier.core.pagination import Paging
from dossier.core.routing import Router
from dossier.core.schemas import Page
from dossier.core.web import PUBLIC, json_response

router = Router()


@router.post("/auth/login", tags=["auth"], openapi_extra=PUBLIC)
async def log_in(
    body: LoginRequest,
    response: Response,
    origin: RequestOrigin,
    sign_in: SignIn,
    signer: Signer,
) -> TokenResponse:
    """Exchange e-mail address and password for a short-lived access token."""
    response.headers["cache-control"] = "no-store"
    return TokenResponse(
        access_token=await sign_in.log_in(body, origin),
        token_type="bearer",  # noqa: S106 - the scheme's name
        expires_in=signer.ttl_s,
    )


@router.get("/users/me", tags=["users"], response_model=UserResponse)
async def get_own_user(accounts: Accounts) -> Membership:
    """Show who is logged in."""
    return await accounts.get_self()


@router.patch("/users/me", tags=["users"], response_model=UserResponse)
async def update_own_user(body: SelfUpdate, accounts: Accounts) -> Membership:
    """Change one's own name, e-mail address or password."""
    return await accounts.update_self(body)


@router.get("/users", tags=["users"], response_model=Page[UserResponse])
@hot
async def list_users(page: Paging, accounts: ReadAccounts) -> Response:
    """List the members of the organisation, the newest first."""
    return json_response(await accounts.list_users(page))


@router.post(
    "/users",
    tags=["users"],
    status_code=status.HTTP_201_CREATED,
    response_model=UserResponse,
)
async def create_user(body: UserCreate, accounts: Accounts) -> Membership:
    """Make a user who belongs to the organisation."""
    return await accounts.create_user(body)


@router.get("/users/{user_id}", tags=["users"], response_model=UserResponse)
async def get_user(user_id: UUID, accounts: Accounts) -> Membership:
    """Show one member."""
    return await accounts.get_user(user_id)


@router.patch("/users/{user_id}", tags=["users"], response_model=UserResponse)
async def update_user(
    user_id: UUID, body: UserUpdate, accounts: Accounts
) -> Membership:
    """Change a member's name, role or state; only the fields that are sent."""
    return await accounts.update_user(user_id, body)
