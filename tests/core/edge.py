"""A small app inside the edge, for tests of what surrounds every request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

import httpx2
import orjson
from fastapi import APIRouter, FastAPI, Query, Request
from pydantic import Field
from starlette.types import ASGIApp

from dossier.core import problems
from dossier.core.errors import ConflictError, RateLimitedError
from dossier.core.middleware import ADDRESS_KEY, BodyLimit, RequestMiddleware
from dossier.core.rate_limit import Proxies, RateLimiter
from dossier.core.schemas import RequestModel
from dossier.core.web import PUBLIC

ORIGIN = "https://app.example"


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


class Line(RequestModel):
    """One line of an order."""

    name: str = Field(min_length=2)
    count: int = 1


class Order(RequestModel):
    """A body with a list."""

    items: list[Line]


class TeapotError(ConflictError):
    """A named failure of this test."""

    title = "Teapot"


@dataclass
class Rig:
    """The app's client and what it wrote."""

    client: httpx2.AsyncClient
    lines: list[bytes] = field(default_factory=list)

    def access_lines(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.lines]


router = APIRouter()


@router.get("/things/{thing_id}")
async def show(
    thing_id: int, limit: Annotated[int, Query(le=50)] = 20
) -> dict[str, int]:
    return {"id": thing_id, "limit": limit}


@router.post("/orders", openapi_extra=PUBLIC)
async def order(body: Order) -> dict[str, int]:
    return {"items": len(body.items)}


@router.put("/orders")
async def replace_order() -> None:
    return None


@router.post("/uploads")
async def upload(request: Request) -> dict[str, int]:
    return {"bytes": sum([len(piece) async for piece in request.stream()])}


@router.get("/address")
async def address(request: Request) -> dict[str, str]:
    return {"address": request.scope[ADDRESS_KEY]}


@router.get("/fails/{how}")
async def fails(how: str) -> None:
    raise FAILURES[how]


@router.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


def small_app(**changed: Any) -> FastAPI:
    app = FastAPI(redirect_slashes=False)
    app.include_router(router)
    problems.install(app)
    app.add_middleware(partial(edge, **changed))
    return app


FAILURES: dict[str, Exception] = {
    "teapot": TeapotError("short and stout"),
    "busy": RateLimitedError("slow down", retry_after_s=7),
    "bug": ZeroDivisionError("secret detail"),
    "refused": ConnectionRefusedError(111, "refused"),
    "no-socket": FileNotFoundError(2, "No such file or directory"),
    "no-file": FileNotFoundError(2, "No such file or directory", "papers.pdf"),
}


def edge(app: ASGIApp, **changed: Any) -> RequestMiddleware:
    """Return an app within the edge, with some arguments exchanged."""
    limited = BodyLimit(
        app,
        changed.pop("max_body_bytes", 1000),
        lambda _method, path: path == "/uploads",
    )
    arguments: dict[str, Any] = {
        "limiter": RateLimiter(0),
        "proxies": Proxies(()),
        "guard": None,
        "cors_origins": (ORIGIN,),
        "caller_of": lambda _credentials: None,
    }
    return RequestMiddleware(limited, **arguments | changed)


@asynccontextmanager
async def rig(
    *,
    peer: tuple[str, int] = ("203.0.113.9", 50000),
    base_url: str = "http://localhost:8000",
    **parts: Any,
) -> AsyncIterator[Rig]:
    """Yield a client of the small app with some parts of the edge exchanged."""
    lines: list[bytes] = []
    app = small_app(write=lines.append, **parts)
    transport = httpx2.ASGITransport(app=app, client=peer)
    async with httpx2.AsyncClient(transport=transport, base_url=base_url) as client:
        yield Rig(client, lines)
