"""Routes of log-in, users and API keys."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response, status

from dossier.accounts.dependencies import (
    Acceptance,
    Accounts,
    ApiKeys,
    Invitations,
    OwnAccount,
    RequestOrigin,
    Signer,
    SignIn,
)
from dossier.accounts.models import ApiKey, Membership
from dossier.accounts.schemas import (
    ApiKeyCreate,
    ApiKeyResponse,
    ApiKeySecretResponse,
    InvitationAccept,
    InvitationMade,
    InvitationResponse,
    InvitationShown,
    LoginRequest,
    SelfUpdate,
    TokenResponse,
    UserInvite,
    UserResponse,
    UserUpdate,
)
from dossier.accounts.service import invitations as invitations_service
from dossier.accounts.service import members
from dossier.core.pagination import Paging, Slice
from dossier.core.reads import Row
from dossier.core.schemas import Page, StorableText
from dossier.core.web import PUBLIC, Reader

router = APIRouter()

ACCEPT_PATH = "/api/v1/auth/invitations"
InvitationToken = Annotated[StorableText, Path(max_length=100)]


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
async def update_own_user(body: SelfUpdate, account: OwnAccount) -> Membership:
    """Change the caller's own name, e-mail address or password.

    The new address must be free in the organisation. Where there are several, log-in
    with it names `organisation_id` from then on.
    """
    return await account.update(body)


@router.get("/users", tags=["users"], response_model=Page[UserResponse])
async def list_users(page: Paging, reader: Reader) -> Slice[Row]:
    """List the members of the organisation, the newest first."""
    return await members.list_users(reader, page)


@router.post("/users", tags=["users"], status_code=status.HTTP_201_CREATED)
async def invite_user(
    body: UserInvite, response: Response, invitations: Invitations
) -> InvitationMade:
    """Invite a person; the link, shown this once, is valid for 7 days and one use.

    Inviting the same address again replaces the former link.
    """
    response.headers["cache-control"] = "no-store"
    invitation, token = await invitations.invite(body)
    return InvitationMade.of(invitation, f"{ACCEPT_PATH}/{token}")


@router.get("/invitations", tags=["users"], response_model=Page[InvitationResponse])
async def list_invitations(page: Paging, reader: Reader) -> Slice[Row]:
    """List the invitations that are neither accepted nor expired, newest first."""
    return await invitations_service.list_invitations(reader, page)


@router.delete(
    "/invitations/{invitation_id}",
    tags=["users"],
    status_code=status.HTTP_204_NO_CONTENT,
)
async def revoke_invitation(invitation_id: UUID, invitations: Invitations) -> None:
    """Revoke an invitation; its link is no longer valid."""
    await invitations.revoke(invitation_id)


@router.get("/auth/invitations/{token}", tags=["auth"], openapi_extra=PUBLIC)
async def read_invitation(
    token: InvitationToken, acceptance: Acceptance
) -> InvitationShown:
    """Show an invitation to who holds its link."""
    return await acceptance.show(token)


@router.post(
    "/auth/invitations/{token}",
    tags=["auth"],
    status_code=status.HTTP_201_CREATED,
    response_model=UserResponse,
    openapi_extra=PUBLIC,
)
async def accept_invitation(
    token: InvitationToken,
    body: InvitationAccept,
    origin: RequestOrigin,
    acceptance: Acceptance,
) -> Membership:
    """Accept an invitation by choosing a password; the answer names the organisation.

    Another organisation's account of the same address stays as it is.
    """
    return await acceptance.accept(token, body, origin)


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
