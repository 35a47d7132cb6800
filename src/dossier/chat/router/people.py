"""One's profile and one's virtual users."""

from uuid import UUID

from fastapi import APIRouter, Response, status

from dossier.chat.dependencies.rooms import Personas, Profiles
from dossier.chat.models import ChatProfile, VirtualUser
from dossier.chat.schemas.people import (
    ProfileResponse,
    ProfileUpdate,
    VirtualUserCreate,
    VirtualUserResponse,
    VirtualUserUpdate,
)
from dossier.core.pagination import Paging, Slice
from dossier.core.schemas import Page

router = APIRouter(prefix="/chat", tags=["chat"])


@router.get("/profile", response_model=ProfileResponse)
async def get_chat_profile(profiles: Profiles) -> ChatProfile:
    """Show one's profile; it is made on first use."""
    return await profiles.own()


@router.patch("/profile", response_model=ProfileResponse)
async def update_chat_profile(body: ProfileUpdate, profiles: Profiles) -> ChatProfile:
    """Change what is sent."""
    return await profiles.update(body.model_dump(exclude_unset=True))


@router.get("/virtual-users", response_model=Page[VirtualUserResponse])
async def list_virtual_users(personas: Personas, paging: Paging) -> Slice[VirtualUser]:
    """List one's own virtual users, the newest first; one's assistant is among them."""
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
    """Show one of one's own virtual users."""
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
    """Let a virtual user go; what it said stays."""
    await personas.retire_persona(virtual_user_id)
