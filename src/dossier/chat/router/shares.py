"""Links to conversations, and what they show to whoever holds them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response, status

from dossier.chat.dependencies.rooms import Shared, Shares
from dossier.chat.schemas.messages import SharedResponse
from dossier.chat.schemas.rooms import ShareCreate, ShareList, ShareMade
from dossier.core.web import PUBLIC

router = APIRouter(prefix="/chat", tags=["chat"])

SHARED_PATH = "/api/v1/chat/shared"
# Seen by whoever holds it, kept and listed by nobody.
_HEADERS = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"}


@router.post(
    "/rooms/{room_id}/shares",
    status_code=status.HTTP_201_CREATED,
)
async def create_share(
    room_id: UUID, shares: Shares, body: ShareCreate | None = None
) -> ShareMade:
    """Make a link to a room of one's own as it is now; the token is told once."""
    wish = body or ShareCreate(expires_in_days=None)
    made = await shares.share(room_id, wish.message_id, wish.expires_in_days)
    return ShareMade.of(made.share, made.token, f"{SHARED_PATH}/{made.token}")


@router.get("/rooms/{room_id}/shares", response_model=ShareList)
async def list_shares(room_id: UUID, shares: Shares) -> dict[str, object]:
    """List the links of a room of one's own, ended ones too."""
    return {"items": await shares.list_shares(room_id)}


@router.delete("/shares/{share_id}", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_share(share_id: UUID, shares: Shares) -> None:
    """End a link now."""
    await shares.revoke(share_id)


@router.get("/shared/{token}", openapi_extra=PUBLIC)
async def read_shared(
    token: Annotated[str, Path(min_length=1, max_length=200)],
    shared: Shared,
    response: Response,
) -> SharedResponse:
    """Read what a link shows; no log-in is asked for."""
    found = await shared.open(token)
    response.headers.update(_HEADERS)
    return found
