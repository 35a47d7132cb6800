"""One message: editing, deleting, branching off, feedback."""

from uuid import UUID

from fastapi import APIRouter, Response, status

from dossier.chat.dependencies.rooms import Branches, Feedback, Messages
from dossier.chat.models import ChatFeedback, ChatRoom
from dossier.chat.schemas.messages import (
    BranchCreate,
    BranchList,
    FeedbackPut,
    FeedbackResponse,
    MessageResponse,
    MessageUpdate,
)
from dossier.chat.schemas.rooms import RoomResponse
from dossier.chat.service.views import MessageView

router = APIRouter(prefix="/chat/messages/{message_id}", tags=["chat"])


@router.get("", response_model=MessageResponse)
async def get_message(message_id: UUID, branches: Branches) -> MessageView:
    """Show one message."""
    return await branches.get_message(message_id)


@router.patch("", response_model=MessageResponse)
async def edit_message(
    message_id: UUID, body: MessageUpdate, messages: Messages, branches: Branches
) -> MessageView:
    """Say one's own message in other words: a new version, with an id of its own.

    The earlier one stays, and what was said after it becomes another branch.
    """
    said = await messages.edit_message(message_id, body.text)
    return await branches.view(said, said.profile_id)


@router.delete("", status_code=status.HTTP_204_NO_CONTENT)
async def delete_message(message_id: UUID, messages: Messages) -> None:
    """Forget what a message said; its place in the room stays."""
    await messages.delete_message(message_id)


@router.get("/branches", response_model=BranchList)
async def list_branches(message_id: UUID, branches: Branches) -> dict[str, object]:
    """List the versions of a message, and where the branch behind each one ends."""
    return {"items": await branches.siblings(message_id)}


@router.post(
    "/branches", response_model=RoomResponse, status_code=status.HTTP_201_CREATED
)
async def create_branch(
    message_id: UUID,
    branches: Branches,
    response: Response,
    body: BranchCreate | None = None,
) -> ChatRoom:
    """Go on in a private room of one's own, which has the branch up to here."""
    made = await branches.branch_off(message_id, body.title if body else None)
    response.headers["Location"] = f"/api/v1/chat/rooms/{made.id}"
    return made


@router.put("/feedback", response_model=FeedbackResponse)
async def rate_message(
    message_id: UUID, body: FeedbackPut, feedback: Feedback
) -> ChatFeedback:
    """Say what one thinks of a message."""
    return await feedback.rate(message_id, body.rating, body.comment)


@router.delete("/feedback", status_code=status.HTTP_204_NO_CONTENT)
async def withdraw_rating(message_id: UUID, feedback: Feedback) -> None:
    """Take back what one said of a message."""
    await feedback.withdraw(message_id)
