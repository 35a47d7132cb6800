"""Rooms, the people and virtual users in them, and what is said there."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status
from fastapi.responses import StreamingResponse

from dossier.chat.constants import ExportFormat
from dossier.chat.dependencies.rooms import (
    Branches,
    Exports,
    Members,
    Messages,
    Rooms,
)
from dossier.chat.models import ChatRoom
from dossier.chat.schemas.messages import (
    MessageCreate,
    MessagePageResponse,
    MessageResponse,
)
from dossier.chat.schemas.people import RoomPersonaList
from dossier.chat.schemas.rooms import (
    MemberCreate,
    MemberList,
    MemberResponse,
    RoomCreate,
    RoomResponse,
    RoomUpdate,
)
from dossier.chat.service import rooms as service
from dossier.chat.service.branches import MessagePage
from dossier.chat.service.views import MessageView
from dossier.core.downloads import download
from dossier.core.pagination import DEFAULT_LIMIT, MAX_LIMIT, Paging, Slice
from dossier.core.reads import Row
from dossier.core.schemas import Page
from dossier.core.web import Reader

router = APIRouter(prefix="/chat/rooms", tags=["chat"])


@router.get("", response_model=Page[RoomResponse])
async def list_rooms(
    reader: Reader, paging: Paging, *, archived: bool = False
) -> Slice[Row]:
    """List the rooms where one is a member, the last used first."""
    return await service.list_rooms(reader, paging, is_archived=archived)


@router.post("", response_model=RoomResponse, status_code=status.HTTP_201_CREATED)
async def create_room(body: RoomCreate, rooms: Rooms, response: Response) -> ChatRoom:
    """Make a room; one's assistant is in it."""
    membership = await rooms.create_room(body.kind, body.title, body.product_id)
    response.headers["Location"] = f"/api/v1/chat/rooms/{membership.room.id}"
    return membership.room


@router.get("/{room_id}", response_model=RoomResponse)
async def get_room(room_id: UUID, reader: Reader) -> Row:
    """Show a room."""
    return await service.read_room(reader, room_id)


@router.patch("/{room_id}", response_model=RoomResponse)
async def update_room(room_id: UUID, body: RoomUpdate, rooms: Rooms) -> ChatRoom:
    """Rename a room of one's own, archive it, or limit it to a product."""
    return await rooms.update_room(room_id, body.model_dump(exclude_unset=True))


@router.delete("/{room_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_room(room_id: UUID, rooms: Rooms) -> None:
    """Delete a room of one's own with all that was said in it."""
    await rooms.delete_room(room_id)


@router.get("/{room_id}/members")
async def list_members(room_id: UUID, members: Members) -> MemberList:
    """List the people in a room."""
    found = await members.list_members(room_id)
    return MemberList(items=[MemberResponse.of(e.member, e.profile) for e in found])


@router.post(
    "/{room_id}/members",
    status_code=status.HTTP_201_CREATED,
    responses={200: {"model": MemberResponse, "description": "Was a member before."}},
)
async def add_member(
    room_id: UUID, body: MemberCreate, members: Members, response: Response
) -> MemberResponse:
    """Bring a colleague into a group room of one's own."""
    found, is_new = await members.add_member(room_id, body.user_id)
    if not is_new:
        response.status_code = status.HTTP_200_OK
    return MemberResponse.of(found.member, found.profile)


@router.delete("/{room_id}/members/{user_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_member(room_id: UUID, user_id: UUID, members: Members) -> None:
    """Take a person out of a room of one's own, or leave it."""
    await members.remove_member(room_id, user_id)


@router.get("/{room_id}/virtual-users", response_model=RoomPersonaList)
async def list_room_virtual_users(room_id: UUID, members: Members) -> dict[str, object]:
    """List the virtual users in a room."""
    return {"items": await members.list_personas(room_id)}


@router.put(
    "/{room_id}/virtual-users/{virtual_user_id}",
    status_code=status.HTTP_204_NO_CONTENT,
)
async def add_room_virtual_user(
    room_id: UUID, virtual_user_id: UUID, members: Members
) -> None:
    """Bring one's own virtual user into a room."""
    await members.add_persona(room_id, virtual_user_id)


@router.delete(
    "/{room_id}/virtual-users/{virtual_user_id}",
    status_code=status.HTTP_204_NO_CONTENT,
)
async def remove_room_virtual_user(
    room_id: UUID, virtual_user_id: UUID, members: Members
) -> None:
    """Take a virtual user out of a room."""
    await members.remove_persona(room_id, virtual_user_id)


@router.get("/{room_id}/messages", response_model=MessagePageResponse)
async def list_messages(
    room_id: UUID,
    branches: Branches,
    cursor: UUID | None = None,
    leaf_id: Annotated[
        UUID | None, Query(description="The branch that ends here.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
) -> MessagePage:
    """Show one branch, its end first; without `leaf_id` that last written on."""
    return await branches.page(room_id, cursor or leaf_id, limit)


@router.post(
    "/{room_id}/messages",
    response_model=MessageResponse,
    status_code=status.HTTP_201_CREATED,
)
async def create_message(
    room_id: UUID,
    body: MessageCreate,
    messages: Messages,
    branches: Branches,
    response: Response,
) -> MessageView:
    """Say something to the people in a room; no answer is asked for."""
    message = await messages.add_user_message(
        room_id,
        body.text,
        parent_id=body.parent_id,
        document_ids=body.document_ids,
    )
    response.headers["Location"] = f"/api/v1/chat/messages/{message.id}"
    return await branches.view(message, message.profile_id)


@router.get("/{room_id}/export", response_class=StreamingResponse)
async def export_room(
    room_id: UUID,
    request: Request,
    exports: Exports,
    form: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.MARKDOWN,
    leaf_id: UUID | None = None,
) -> Response:
    """Take a room away: Markdown of one branch, or JSON of all."""
    return download(request, await exports.export(room_id, form, leaf_id))
