"""`walks`: how much code one request goes through, counted by `sys.setprofile`.

The web app, a worker and the database client run in this process; each function of
the product that is called is counted once, whoever calls it. Timers that run meanwhile
are counted too.
"""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import orjson
from benchmarks.processes import dossier, free_port, server
from benchmarks.stage import PASSWORD, SMALL, Stage, email_of, stage

import dossier as package
from dossier.core.settings import Settings
from dossier.main import create_app
from dossier.worker import run_worker

SOURCE = str(Path(package.__file__).parent)
TESTING = f"{SOURCE}/testing/"
FIRST_TOKEN = b"event: response.output_text.delta"
STORED = b"event: response.completed"
DOCUMENT = "Stability report\n\nThe product is stable for 36 months at 25 °C.\n"
TIMEOUT_S = 60.0


class Walk:
    """The functions of the product that were called since it began."""

    def __init__(self) -> None:
        self._called: set[CodeType] = set()

    def note(self, frame: FrameType, event: str, _arg: object) -> None:
        """Note one call; the profile hook of every thread."""
        if event == "call":
            self._called.add(frame.f_code)

    def counted(self) -> dict[str, int]:
        """Return how many functions in how many files were called so far."""
        ours = {
            (code.co_filename, code.co_qualname)
            for code in tuple(self._called)
            if code.co_filename.startswith(SOURCE)
            and not code.co_filename.startswith(TESTING)
            and not code.co_name.startswith("<")
        }
        return {"functions": len(ours), "files": len({name for name, _ in ours})}


@contextmanager
def walking() -> Iterator[Walk]:
    """Count calls in all threads that begin from now on, and in this one."""
    walk = Walk()
    threading.setprofile(walk.note)
    sys.setprofile(walk.note)
    try:
        yield walk
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


async def measure() -> dict[str, Any]:
    """Return functions and files from a request to what it leads to."""
    async with stage() as played:
        port = free_port()
        argv = [dossier(), "fake-model", "--port", str(port)]
        async with (
            server(argv, port, health="/v1/models", env={}),
            _serving(played, port) as client,
        ):
            await _chat(client, Walk())  # imports and first statements are no walk
            await _upload(client, Walk(), "warm-up")
            with walking() as walk:
                chat = await _chat(client, walk)
            with walking() as walk:
                upload = await _upload(client, walk, "walk")
    return {**chat, **upload}


class Client:
    """Calls the app without a network, and sees each piece of an answer."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.headers: list[tuple[bytes, bytes]] = [(b"host", b"localhost")]

    async def call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        content_type: str = "application/json",
        on_piece: Callable[[bytes], None] = lambda _: None,
    ) -> bytes:
        """Send one request and return the whole body."""
        sent, pieces = False, []

        async def receive() -> dict[str, Any]:
            nonlocal sent
            if sent:
                await asyncio.sleep(TIMEOUT_S)
                return {"type": "http.disconnect"}
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            piece = message.get("body", b"")
            pieces.append(piece)
            on_piece(piece)

        bare, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": bare,
            "raw_path": bare.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [
                *self.headers,
                (b"content-type", content_type.encode()),
                (b"content-length", str(len(body)).encode()),
            ],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
        }
        await self._app(scope, receive, send)
        return b"".join(pieces)


@asynccontextmanager
async def _serving(played: Stage, model_port: int) -> AsyncIterator[Client]:
    os.environ |= played.env(
        AI_BASE_URL=f"http://127.0.0.1:{model_port}/v1",
        AI_MODEL="scripted",
        DOSSIER_JOBS__IN_PROCESS="false",
    )
    settings, stop = Settings(), asyncio.Event()
    app = create_app(settings)
    async with app.router.lifespan_context(app), asyncio.TaskGroup() as group:
        group.create_task(run_worker(settings, stop))
        client = Client(app)
        login = orjson.dumps({"email": email_of(SMALL), "password": PASSWORD})
        answered = await client.call("POST", "/api/v1/auth/login", login)
        token = orjson.loads(answered)["access_token"]
        client.headers.append((b"authorization", f"Bearer {token}".encode()))
        await asyncio.sleep(3)  # the worker has started
        yield client
        stop.set()


async def _chat(client: Client, walk: Walk) -> dict[str, Any]:
    counts: dict[str, Any] = {}

    def on_piece(piece: bytes) -> None:
        if FIRST_TOKEN in piece:
            counts.setdefault("chat_to_first_token", walk.counted())
        if STORED in piece:
            counts.setdefault("chat_to_stored_message", walk.counted())

    question = {"message": "Tell me a story.", "grounding": "none", "stream": True}
    async with asyncio.timeout(TIMEOUT_S):
        await client.call(
            "POST", "/api/v1/chat", orjson.dumps(question), on_piece=on_piece
        )
    return counts


async def _upload(client: Client, walk: Walk, name: str) -> dict[str, Any]:
    boundary = "walk"
    part = (
        f"--{boundary}\r\ncontent-disposition: form-data; name=file; "
        f'filename="{name}.txt"\r\ncontent-type: text/plain\r\n\r\n'
        f"{DOCUMENT} {name}\r\n--{boundary}--\r\n"
    )
    answered = await client.call(
        "POST",
        "/api/v1/documents",
        part.encode(),
        f"multipart/form-data; boundary={boundary}",
    )
    document_id = orjson.loads(answered)["id"]
    path = f"/api/v1/documents/{document_id}/chunks"
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            counted = walk.counted()
            found = orjson.loads(await client.call("GET", path))
            if found.get("items"):
                return {"upload_to_passages": counted}
            await asyncio.sleep(0.02)
