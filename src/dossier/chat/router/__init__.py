"""Routes of chat."""

from fastapi import APIRouter

routers: tuple[APIRouter, ...] = ()
