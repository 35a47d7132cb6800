"""Routes of chat."""

from fastapi import APIRouter

from dossier.chat.router.chat import router as chat
from dossier.chat.router.messages import router as messages
from dossier.chat.router.people import router as people
from dossier.chat.router.rooms import router as rooms
from dossier.chat.router.runs import router as runs
from dossier.chat.router.shares import router as shares

routers: tuple[APIRouter, ...] = (
    chat,
    runs,
    people,
    rooms,
    messages,
    shares,
)
