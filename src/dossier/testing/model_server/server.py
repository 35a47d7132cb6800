"""The scripted server as a whole: start, steer, ask, stop."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any, Self

import orjson
import uvicorn
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from dossier.testing.model_server.calls import Calls
from dossier.testing.model_server.conversation import Json
from dossier.testing.model_server.exchange import HangUpError
from dossier.testing.model_server.routes import Handler, Routes
from dossier.testing.model_server.script import Script
from dossier.testing.model_server.state import State

_BACKLOG = 4096
"""A thousand clients may come in the same moment."""


class ScriptedModelServer:
    """A model server without a model: answers by rules and fails on demand."""

    def __init__(
        self, script: Script | None = None, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._state = State.of(script or Script())
        self._host = host
        self._port = port
        self._routes = self._table()
        self._answering: set[asyncio.Task[None]] = set()
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def root_url(self) -> str:
        """Where Anthropic's clients, `/rerank` and the controls start."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def base_url(self) -> str:
        """Where OpenAI's clients start."""
        return f"{self.root_url}/v1"

    @property
    def calls(self) -> Calls:
        """What was asked so far."""
        return self._state.calls

    @property
    def script(self) -> Script:
        """The script in force."""
        return self._state.script

    def play(self, script: Script | None = None, **changes: Any) -> None:
        """Put another script in force, or turn some knobs of the present one."""
        self._state.play((script or self.script).changed(changes))

    def reset(self) -> None:
        """Forget all calls and go back to the first script."""
        self._state.reset()

    async def start(self) -> None:
        """Listen; port 0 becomes a free one."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listening = socket.create_server(
            (self._host, self._port), family=family, backlog=_BACKLOG
        )
        self._port = listening.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
        )
        logging.getLogger("uvicorn.error").addFilter(_is_no_hang_up)
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve([listening]))
        await self._server.is_ready.wait()

    async def close(self) -> None:
        """Hang up on everyone."""
        for task in self._answering:
            task.cancel()
        if self._server is not None and self._serving is not None:
            self._server.should_exit = self._server.force_exit = True
            await self._serving

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _table(self) -> dict[tuple[str, str], Handler]:
        return {
            **Routes(self._state).table(),
            ("GET", "/_calls"): _shows(self.calls_shown),
            ("GET", "/_control"): _shows(self.script_shown),
            ("POST", "/_control"): self._steer,
            ("POST", "/_reset"): self._start_anew,
        }

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; a client that leaves ends its stream."""
        request = Request(scope, receive)
        await request.body()
        handler = self._routes.get((request.method, request.url.path), _not_found)
        answering = asyncio.create_task(_answer(handler, request, send))
        leaving = asyncio.create_task(_left(receive))
        self._answering.add(answering)
        try:
            await asyncio.wait(
                {answering, leaving}, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.wait({answering, leaving})
            self._answering.discard(answering)
        if not answering.cancelled():
            answering.result()

    def calls_shown(self) -> Json:
        """Return what was asked so far."""
        return self.calls.shown()

    def script_shown(self) -> Json:
        """Return the script in force, without its key."""
        return _shown(self.script)

    async def _steer(self, request: Request, send: Send) -> None:
        try:
            self.play(**orjson.loads(await request.body()))
        except (orjson.JSONDecodeError, TypeError) as exc:
            told: Json = {"error": f"A JSON object is wanted: {exc}"}
            await _answer_json(request, send, told, 400)
        except ValidationError as exc:
            faults = [f"{_place(e['loc'])}: {e['msg']}" for e in exc.errors()]
            await _answer_json(request, send, {"error": "; ".join(faults)}, 400)
        else:
            await _answer_json(request, send, _shown(self.script))

    async def _start_anew(self, request: Request, send: Send) -> None:
        self.reset()
        await _answer_json(request, send, _shown(self.script))


class _Server(uvicorn.Server):
    """Runs beside its caller: leaves signals alone, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = asyncio.Event()

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_ready.set()


@asynccontextmanager
async def scripted_model(
    script: Script | None = None, **knobs: Any
) -> AsyncIterator[ScriptedModelServer]:
    """Run a server on a free port of this machine as long as the block lasts."""
    chosen = (script or Script()).changed(knobs)
    async with ScriptedModelServer(chosen) as server:
        yield server


def _shown(script: Script) -> Json:
    shown: Json = script.model_dump(mode="json", exclude={"api_key"})
    return shown


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "script"


def _is_no_hang_up(record: logging.LogRecord) -> bool:
    """Pass over the faults that were asked for."""
    return not (record.exc_info and isinstance(record.exc_info[1], HangUpError))


def _shows(what: Callable[[], Json]) -> Handler:
    async def handle(request: Request, send: Send) -> None:
        await _answer_json(request, send, what())

    return handle


async def _not_found(request: Request, send: Send) -> None:
    await _answer_json(request, send, {"error": "Not found."}, 404)


async def _answer(handler: Handler, request: Request, send: Send) -> None:
    await handler(request, send)


async def _left(receive: Receive) -> None:
    """Wait until the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer_json(
    request: Request, send: Send, content: Json, status: int = 200
) -> None:
    body = orjson.dumps(content)
    response = Response(body, status, media_type="application/json")
    await response(request.scope, request.receive, send)
