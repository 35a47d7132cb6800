"""Routes of chat: questions, runs, people, rooms, messages, shared links."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response, status
from fastapi.responses import StreamingResponse

from dossier.chat.constants import ExportFormat
from dossier.chat.dependencies import (
    Answers,
    Branches,
    Exports,
    Feedback,
    Members,
    Personas,
    Profiles,
    Responses,
    RoomMessages,
    Rooms,
    Runs,
    Shared,
    Shares,
    WaitS,
)
from dossier.chat.models import ChatFeedback, ChatProfile, ChatRoom, VirtualUser
from dossier.chat.schemas import (
    BranchCreate,
    BranchList,
    ChatRequest,
    ChatResponse,
    FeedbackPut,
    FeedbackResponse,
    MemberCreate,
    MemberList,
    MemberResponse,
    MessageCreate,
    MessagePageResponse,
    MessageResponse,
    MessageUpdate,
    OrganisationShare,
    OrganisationShareList,
    ProfileResponse,
    ProfileUpdate,
    RegenerateRequest,
    RoomCreate,
    RoomPersonaList,
    RoomResponse,
    RoomUpdate,
    RunResponse,
    ShareCreate,
    SharedResponse,
    ShareList,
    ShareMade,
    VirtualUserCreate,
    VirtualUserResponse,
    VirtualUserUpdate,
)
from dossier.chat.service import rooms as service
from dossier.chat.service.branches import MessagePage, MessageView
from dossier.chat.types import AnswerOptions
from dossier.core.downloads import DOWNLOAD_RESPONSES, download
from dossier.core.pagination import DEFAULT_LIMIT, MAX_LIMIT, Paging, Slice
from dossier.core.reads import Row
from dossier.core.schemas import Page
from dossier.core.web import PUBLIC, Reader
from dossier.jobs.models import Job
from dossier.jobs.responses import StartingAfter

router = APIRouter(prefix="/chat", tags=["chat"])


ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": ChatResponse,
        "content": {"text/event-stream": {}},
        "description": "The answer, or with `stream` the events of its run.",
    },
    202: {"model": RunResponse, "description": "It is still being written."},
}


@router.post("", response_model=ChatResponse, responses=ANSWERS)
async def chat(
    body: ChatRequest, answers: Answers, responses: Responses, wait_s: WaitS
) -> Response:
    """Ask a question; the answer cites document, page and quote.

    Without a room it opens a private one. A failure of the model is answered as a
    problem; the question stays, and `regenerate` answers it anew.
    """
    asked = await answers.ask(
        body.message,
        AnswerOptions(body.engine, body.grounding),
        room_id=body.chat_room_id,
        product_id=body.product_id,
        virtual_user_id=body.virtual_user_id,
        document_ids=body.document_ids,
    )
    if body.stream:
        return responses.events_of_asked(asked)
    return responses.answer(asked, wait_s)


@router.post(
    "/messages/{message_id}/regenerate", response_model=ChatResponse, responses=ANSWERS
)
async def regenerate(
    message_id: UUID,
    answers: Answers,
    responses: Responses,
    wait_s: WaitS,
    body: RegenerateRequest | None = None,
) -> Response:
    """Answer a question anew; the earlier answer stays beside it.

    Options that are not sent are those of the answer that it replaces.
    """
    options = body or RegenerateRequest()
    asked = await answers.regenerate(message_id, options.engine, options.grounding)
    if options.stream:
        return responses.events_of_asked(asked)
    return responses.answer(asked, wait_s)


EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {}},
        "description": "Stored events, then those that come, to the end.",
    },
    204: {"description": "Nothing more will come."},
}


@router.get("/runs/{chat_run_id}", response_model=RunResponse)
async def get_chat_run(chat_run_id: UUID, runs: Runs) -> Job:
    """Show how far an answer is; a failed one carries its problem."""
    return await runs.get_run(chat_run_id)


@router.get("/runs/{chat_run_id}/events", responses=EVENTS, response_class=Response)
async def stream_chat_run(
    chat_run_id: UUID, runs: Runs, responses: Responses, after: StartingAfter
) -> Response:
    """Replay the events after a number, then follow live, without gap or repetition."""
    return responses.events(await runs.get_run(chat_run_id), after)


@router.post("/runs/{chat_run_id}/cancel", response_model=RunResponse)
async def cancel_chat_run(chat_run_id: UUID, runs: Runs) -> Job:
    """Stop an answer; its text so far stays. Asking twice changes nothing."""
    return await runs.cancel(chat_run_id)


@router.get("/profile", response_model=ProfileResponse)
async def get_chat_profile(profiles: Profiles) -> ChatProfile:
    """Show the caller's own profile; it is made on first use."""
    return await profiles.own()


@router.patch("/profile", response_model=ProfileResponse)
async def update_chat_profile(body: ProfileUpdate, profiles: Profiles) -> ChatProfile:
    """Change what is sent."""
    return await profiles.update(body.model_dump(exclude_unset=True))


@router.get("/virtual-users", response_model=Page[VirtualUserResponse])
async def list_virtual_users(personas: Personas, paging: Paging) -> Slice[VirtualUser]:
    """List the caller's own virtual users, the assistant among them, newest first."""
    return await personas.list_personas(paging)


@router.post(
    "/virtual-users",
    response_model=VirtualUserResponse,
    status_code=status.HTTP_201_CREATED,
)
async def create_virtual_user(
    body: VirtualUserCreate, personas: Personas, response: Response
) -> VirtualUser:
    """Make a virtual user that answers as it is described."""
    made = await personas.create_persona(body.model_dump())
    response.headers["Location"] = f"/api/v1/chat/virtual-users/{made.id}"
    return made


@router.get("/virtual-users/{virtual_user_id}", response_model=VirtualUserResponse)
async def get_virtual_user(virtual_user_id: UUID, personas: Personas) -> VirtualUser:
    """Show one of the caller's own virtual users."""
    return await personas.get_persona(virtual_user_id)


@router.patch("/virtual-users/{virtual_user_id}", response_model=VirtualUserResponse)
async def update_virtual_user(
    virtual_user_id: UUID, body: VirtualUserUpdate, personas: Personas
) -> VirtualUser:
    """Change what is sent."""
    changes = body.model_dump(exclude_unset=True)
    return await personas.update_persona(virtual_user_id, changes)


@router.delete(
    "/virtual-users/{virtual_user_id}", status_code=status.HTTP_204_NO_CONTENT
)
async def retire_virtual_user(virtual_user_id: UUID, personas: Personas) -> None:
    """Retire a virtual user; its messages stay."""
    await personas.retire_persona(virtual_user_id)


@router.get("/rooms", response_model=Page[RoomResponse])
async def list_rooms(
    reader: Reader, paging: Paging, *, archived: bool = False
) -> Slice[Row]:
    """List the rooms where one is a member, the last used first."""
    return await service.list_rooms(reader, paging, is_archived=archived)


@router.post("/rooms", response_model=RoomResponse, status_code=status.HTTP_201_CREATED)
async def create_room(body: RoomCreate, rooms: Rooms, response: Response) -> ChatRoom:
    """Make a room; the caller's assistant is in it."""
    membership = await rooms.create_room(body.kind, body.title, body.product_id)
    response.headers["Location"] = f"/api/v1/chat/rooms/{membership.room.id}"
    return membership.room


@router.get("/rooms/{room_id}", response_model=RoomResponse)
async def get_room(room_id: UUID, reader: Reader) -> Row:
    """Show a room."""
    return await service.read_room(reader, room_id)


@router.patch("/rooms/{room_id}", response_model=RoomResponse)
async def update_room(room_id: UUID, body: RoomUpdate, rooms: Rooms) -> ChatRoom:
    """Rename the caller's own room, archive it, or limit it to a product."""
    return await rooms.update_room(room_id, body.model_dump(exclude_unset=True))


@router.delete("/rooms/{room_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_room(room_id: UUID, rooms: Rooms) -> None:
    """Delete the caller's own room with all its messages."""
    await rooms.delete_room(room_id)


@router.get("/rooms/{room_id}/members")
async def list_members(room_id: UUID, members: Members) -> MemberList:
    """List the people in a room."""
    found = await members.list_members(room_id)
    return MemberList(items=[MemberResponse.of(e.member, e.profile) for e in found])


@router.post(
    "/rooms/{room_id}/members",
    status_code=status.HTTP_201_CREATED,
    responses={200: {"model": MemberResponse, "description": "Was a member before."}},
)
async def add_member(
    room_id: UUID, body: MemberCreate, members: Members, response: Response
) -> MemberResponse:
    """Add a colleague to the caller's own group room."""
    found, is_new = await members.add_member(room_id, body.user_id)
    if not is_new:
        response.status_code = status.HTTP_200_OK
    return MemberResponse.of(found.member, found.profile)


@router.delete(
    "/rooms/{room_id}/members/{user_id}", status_code=status.HTTP_204_NO_CONTENT
)
async def remove_member(room_id: UUID, user_id: UUID, members: Members) -> None:
    """Remove a person from the caller's own room, or leave a room."""
    await members.remove_member(room_id, user_id)


@router.get("/rooms/{room_id}/virtual-users", response_model=RoomPersonaList)
async def list_room_virtual_users(room_id: UUID, members: Members) -> dict[str, object]:
    """List the virtual users in a room."""
    return {"items": await members.list_personas(room_id)}


@router.put(
    "/rooms/{room_id}/virtual-users/{virtual_user_id}",
    status_code=status.HTTP_204_NO_CONTENT,
)
async def add_room_virtual_user(
    room_id: UUID, virtual_user_id: UUID, members: Members
) -> None:
    """Add the caller's own virtual user to a room."""
    await members.add_persona(room_id, virtual_user_id)


@router.delete(
    "/rooms/{room_id}/virtual-users/{virtual_user_id}",
    status_code=status.HTTP_204_NO_CONTENT,
)
async def remove_room_virtual_user(
    room_id: UUID, virtual_user_id: UUID, members: Members
) -> None:
    """Take a virtual user out of a room."""
    await members.remove_persona(room_id, virtual_user_id)


@router.get("/rooms/{room_id}/messages", response_model=MessagePageResponse)
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
    "/rooms/{room_id}/messages",
    response_model=MessageResponse,
    status_code=status.HTTP_201_CREATED,
)
async def create_message(
    room_id: UUID,
    body: MessageCreate,
    messages: RoomMessages,
    branches: Branches,
    response: Response,
) -> MessageView:
    """Send a message to the people in a room; no answer is asked for."""
    message = await messages.add_user_message(
        room_id,
        body.text,
        parent_id=body.parent_id,
        document_ids=body.document_ids,
    )
    response.headers["Location"] = f"/api/v1/chat/messages/{message.id}"
    return await branches.view(message, message.profile_id)


@router.get(
    "/rooms/{room_id}/export",
    response_class=StreamingResponse,
    responses=DOWNLOAD_RESPONSES,
)
async def export_room(
    room_id: UUID,
    request: Request,
    exports: Exports,
    form: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.MARKDOWN,
    leaf_id: UUID | None = None,
) -> Response:
    """Export a room: Markdown of one branch, or JSON of all."""
    return download(request, await exports.export(room_id, form, leaf_id))


@router.get("/messages/{message_id}", response_model=MessageResponse)
async def get_message(message_id: UUID, branches: Branches) -> MessageView:
    """Show one message."""
    return await branches.get_message(message_id)


@router.patch("/messages/{message_id}", response_model=MessageResponse)
async def edit_message(
    message_id: UUID, body: MessageUpdate, messages: RoomMessages, branches: Branches
) -> MessageView:
    """Edit the caller's own message: a new version, with its own id.

    The earlier one stays, and the messages after it become another branch.
    """
    message = await messages.edit_message(message_id, body.text)
    return await branches.view(message, message.profile_id)


@router.delete("/messages/{message_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_message(message_id: UUID, messages: RoomMessages) -> None:
    """Delete the text of a message; its place in the room stays."""
    await messages.delete_message(message_id)


@router.get("/messages/{message_id}/branches", response_model=BranchList)
async def list_branches(message_id: UUID, branches: Branches) -> dict[str, object]:
    """List the versions of a message, and where the branch behind each one ends."""
    return {"items": await branches.siblings(message_id)}


@router.post(
    "/messages/{message_id}/branches",
    response_model=RoomResponse,
    status_code=status.HTTP_201_CREATED,
)
async def create_branch(
    message_id: UUID,
    branches: Branches,
    response: Response,
    body: BranchCreate | None = None,
) -> ChatRoom:
    """Copy the branch up to here into a new private room of the caller."""
    made = await branches.branch_off(message_id, body.title if body else None)
    response.headers["Location"] = f"/api/v1/chat/rooms/{made.id}"
    return made


@router.put("/messages/{message_id}/feedback", response_model=FeedbackResponse)
async def rate_message(
    message_id: UUID, body: FeedbackPut, feedback: Feedback
) -> ChatFeedback:
    """Rate a message."""
    return await feedback.rate(message_id, body.rating, body.comment)


@router.delete(
    "/messages/{message_id}/feedback", status_code=status.HTTP_204_NO_CONTENT
)
async def withdraw_rating(message_id: UUID, feedback: Feedback) -> None:
    """Withdraw the caller's rating of a message."""
    await feedback.withdraw(message_id)


SHARED_PATH = "/api/v1/chat/shared"
# Not to be stored by caches, nor listed by search engines.
_HEADERS = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"}


@router.post(
    "/rooms/{room_id}/shares",
    status_code=status.HTTP_201_CREATED,
)
async def create_share(
    room_id: UUID, shares: Shares, body: ShareCreate | None = None
) -> ShareMade:
    """Make a link to the caller's own room as it is now; the token is shown once."""
    options = body or ShareCreate(expires_in_days=None)
    share, token = await shares.share(
        room_id, options.message_id, options.expires_in_days
    )
    return ShareMade.of(share, token, f"{SHARED_PATH}/{token}")


@router.get("/rooms/{room_id}/shares", response_model=ShareList)
async def list_shares(room_id: UUID, shares: Shares) -> dict[str, object]:
    """List the links of the caller's own room, ended ones too."""
    return {"items": await shares.list_shares(room_id)}


@router.get("/shares")
async def list_organisation_shares(shares: Shares) -> OrganisationShareList:
    """List all links of the organisation that have not ended; for owners and admins."""
    found = await shares.list_all()
    return OrganisationShareList(
        items=[OrganisationShare.of(share, maker) for share, maker in found]
    )


@router.delete("/shares/{share_id}", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_share(share_id: UUID, shares: Shares) -> None:
    """End a link now: that of the caller's own room, or as owner or admin any."""
    await shares.revoke(share_id)


@router.get("/shared/{token}", openapi_extra=PUBLIC)
async def read_shared(
    token: Annotated[str, Path(min_length=1, max_length=200)],
    shared: Shared,
    response: Response,
) -> SharedResponse:
    """Read what a link shows; no log-in is needed."""
    found = await shared.open(token)
    response.headers.update(_HEADERS)
    return found
