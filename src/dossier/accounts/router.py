"""Routes of log-in, users and API keys."""

from uuid import UUID

from fastapi import APIRouter, Response, status

from dossier.accounts.dependencies import (
    Accounts,
    ApiKeys,
    RequestOrigin,
    Signer,
    SignIn,
)
from dossier.accounts.models import ApiKey, Membership
from dossier.accounts.schemas import (
    ApiKeyCreate,
    ApiKeyResponse,
    ApiKeySecretResponse,
    LoginRequest,
    SelfUpdate,
    TokenResponse,
    UserCreate,
    UserResponse,
    UserUpdate,
)
from dossier.accounts.service import members
from dossier.core.pagination import Paging, Slice
from dossier.core.reads import Row
from dossier.core.schemas import Page
from dossier.core.web import PUBLIC, Reader

router = APIRouter()


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
async def get_own_user(reader: Reader) -> Row:
    """Show who is logged in."""
    return await members.read_user(reader)


@router.patch("/users/me", tags=["users"], response_model=UserResponse)
async def update_own_user(body: SelfUpdate, accounts: Accounts) -> Membership:
    """Change the caller's own name, e-mail address or password."""
    return await accounts.update_self(body)


@router.get("/users", tags=["users"], response_model=Page[UserResponse])
async def list_users(page: Paging, reader: Reader) -> Slice[Row]:
    """List the members of the organisation, the newest first."""
    return await members.list_users(reader, page)


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
async def get_user(user_id: UUID, reader: Reader) -> Row:
    """Show one member."""
    return await members.read_user(reader, user_id)


@router.patch("/users/{user_id}", tags=["users"], response_model=UserResponse)
async def update_user(
    user_id: UUID, body: UserUpdate, accounts: Accounts
) -> Membership:
    """Change a member's name, role or state; only the fields that are sent."""
    return await accounts.update_user(user_id, body)


@router.post(
    "/api-keys",
    tags=["api-keys"],
    status_code=status.HTTP_201_CREATED,
)
async def create_api_key(
    body: ApiKeyCreate, response: Response, api_keys: ApiKeys
) -> ApiKeySecretResponse:
    """Make an API key; its token is shown this once."""
    response.headers["cache-control"] = "no-store"
    return ApiKeySecretResponse.of(*await api_keys.create_api_key(body))


@router.get("/api-keys", tags=["api-keys"], response_model=Page[ApiKeyResponse])
async def list_api_keys(page: Paging, api_keys: ApiKeys) -> Slice[ApiKey]:
    """List the caller's own API keys, newest first; owners and admins see all."""
    return await api_keys.list_api_keys(page)


@router.get("/api-keys/{api_key_id}", tags=["api-keys"], response_model=ApiKeyResponse)
async def get_api_key(api_key_id: UUID, api_keys: ApiKeys) -> ApiKey:
    """Show one API key."""
    return await api_keys.get_api_key(api_key_id)


@router.post("/api-keys/{api_key_id}/rotate", tags=["api-keys"])
async def rotate_api_key(
    api_key_id: UUID, response: Response, api_keys: ApiKeys
) -> ApiKeySecretResponse:
    """Give the caller's own API key a new secret; its budgets and usage stay."""
    response.headers["cache-control"] = "no-store"
    return ApiKeySecretResponse.of(*await api_keys.rotate_api_key(api_key_id))


@router.delete(
    "/api-keys/{api_key_id}",
    tags=["api-keys"],
    status_code=status.HTTP_204_NO_CONTENT,
)
async def revoke_api_key(api_key_id: UUID, api_keys: ApiKeys) -> None:
    """Revoke an API key for good; its calls stay in the ledger."""
    await api_keys.revoke_api_key(api_key_id)
