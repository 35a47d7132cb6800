"""The scripted server as a whole: start, steer, ask, stop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web
from pydantic import ValidationError

from dossier.testing.model_server.calls import Calls
from dossier.testing.model_server.conversation import Json
from dossier.testing.model_server.failing import json_response
from dossier.testing.model_server.routes import Routes
from dossier.testing.model_server.script import Script
from dossier.testing.model_server.state import State

_MAX_BODY_BYTES = 64 * 1024 * 1024
_BACKLOG = 4096
"""A thousand clients may come in the same moment."""
_GRACE_S = 0.1


class ScriptedModelServer:
    """A model server without a model: answers by rules and fails on demand."""

    def __init__(
        self, script: Script | None = None, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._state = State.of(script or Script())
        self._host = host
        self._port = port
        self._runner = web.AppRunner(
            self._app(),
            handler_cancellation=True,  # a client that leaves ends its stream
            access_log=None,
            shutdown_timeout=_GRACE_S,
        )

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
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, backlog=_BACKLOG)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Hang up on everyone."""
        self._state.pacer.close()
        await self._runner.cleanup()

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

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.add_routes(Routes(self._state).table())
        app.add_routes(
            [
                web.get("/_calls", self._show_calls),
                web.get("/_control", self._show_script),
                web.post("/_control", self._steer),
                web.post("/_reset", self._start_anew),
            ]
        )
        return app

    async def _show_calls(self, _request: web.Request) -> web.Response:
        return json_response(self.calls.shown())

    async def _show_script(self, _request: web.Request) -> web.Response:
        return json_response(_shown(self.script))

    async def _steer(self, request: web.Request) -> web.Response:
        try:
            self.play(**orjson.loads(await request.read()))
        except (orjson.JSONDecodeError, TypeError) as exc:
            return json_response({"error": f"A JSON object is wanted: {exc}"}, 400)
        except ValidationError as exc:
            faults = [f"{_place(e['loc'])}: {e['msg']}" for e in exc.errors()]
            return json_response({"error": "; ".join(faults)}, 400)
        return json_response(_shown(self.script))

    async def _start_anew(self, _request: web.Request) -> web.Response:
        self.reset()
        return json_response(_shown(self.script))


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
