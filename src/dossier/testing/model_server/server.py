"""A scripted model server: OpenAI's and Anthropic's wire formats without a model.

    async with scripted_model(delay_per_token_ms=50) as server:
        client = AsyncOpenAI(base_url=server.base_url, api_key="any")
        ...
        assert server.calls.count("/v1/chat/completions") == 1

The same runs as `dossier fake-model`. It is for tests, demonstrations and benchmarks:
replies are made by rules, from the content of the prompt.
"""

import asyncio
import hashlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import orjson
import uvicorn
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from dossier.testing.model_server import faults, openai
from dossier.testing.model_server.conversation import (
    JsonObject,
    Reply,
    ScriptedPrompt,
    UnreadableRequestError,
)
from dossier.testing.model_server.exchange import (
    ANTHROPIC_FORMAT,
    OPENAI_FORMAT,
    Exchange,
    HangUpError,
    WireFormat,
)
from dossier.testing.model_server.faults import RefusedError
from dossier.testing.model_server.model import answer
from dossier.testing.model_server.ranking import embed, meanings, rerank
from dossier.testing.model_server.script import Area, FaultKind, Script
from dossier.testing.model_server.state import (
    CALL_COMPLETED,
    DISCONNECTED,
    Calls,
    ServerState,
)
from dossier.testing.model_server.tokens import pieces

_BACKLOG = 4096
"""Benchmarks connect a thousand clients at once."""

Answerer = Callable[[Exchange], Awaitable[None]]
RouteHandler = Callable[[Request, Send], Awaitable[None]]


class ScriptedModelServer:
    """A model server without a model: answers by rules and fails on demand."""

    def __init__(
        self, script: Script | None = None, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._state = ServerState.of(script or Script())
        self._host = host
        self._port = port
        reranking = self._counted("rerank", OPENAI_FORMAT, _rerank)
        self._routes: dict[tuple[str, str], RouteHandler] = {
            ("GET", "/v1/models"): self._counted("models", OPENAI_FORMAT, _models),
            ("POST", "/v1/chat/completions"): self._counted(
                "chat", OPENAI_FORMAT, _chat
            ),
            ("POST", "/v1/messages"): self._counted("chat", ANTHROPIC_FORMAT, _chat),
            ("POST", "/v1/embeddings"): self._counted(
                "embeddings", OPENAI_FORMAT, _embeddings
            ),
            ("POST", "/v1/rerank"): reranking,
            ("POST", "/rerank"): reranking,
            ("GET", "/_calls"): self._show_calls,
            ("GET", "/_control"): self._show_script,
            ("POST", "/_control"): self._change_script,
            ("POST", "/_reset"): self._reset_and_show,
        }
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
        """The calls so far."""
        return self._state.calls

    @property
    def script(self) -> Script:
        """The script in force."""
        return self._state.script

    def play(self, script: Script | None = None, **changes: Any) -> None:
        """Put another script in force, or change settings of the present one."""
        self._state.play((script or self.script).changed(changes))

    def reset(self) -> None:
        """Delete all calls and put the first script in force."""
        self._state.reset()

    async def start(self) -> None:
        """Listen; port 0 means any free one."""
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
        # A connection that is cut on demand is no error.
        logging.getLogger("uvicorn.error").addFilter(
            lambda record: (
                not (record.exc_info and isinstance(record.exc_info[1], HangUpError))
            )
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve([listening]))
        await self._server.is_ready.wait()

    async def close(self) -> None:
        """Close all connections and stop."""
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

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; a client that disconnects ends its stream."""
        request = Request(scope, receive)
        await request.body()
        handler = self._routes.get((request.method, request.url.path), _not_found)
        answering = asyncio.ensure_future(handler(request, send))
        leaving = asyncio.create_task(_disconnected(receive))
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

    def _counted(
        self, area: Area, wire: WireFormat, answerer: Answerer
    ) -> RouteHandler:
        """Return a handler that records each call and applies the next fault."""

        async def handle(request: Request, send: Send) -> None:
            try:
                body = orjson.loads(await request.body() or b"{}")
            except orjson.JSONDecodeError:
                body = {}
            body = body if isinstance(body, dict) else {}
            bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
            key = request.headers.get("x-api-key") or bearer or None
            call = self.calls.begin(request.url.path, body, key)
            fault = self._state.pending.take(area)
            exchange = Exchange(send, call, self.script, fault, wire)
            try:
                await self._answered(exchange, answerer)
            except asyncio.CancelledError:
                self.calls.end(call, DISCONNECTED)
                raise

        return handle

    async def _answered(self, exchange: Exchange, answerer: Answerer) -> None:
        fault, call = exchange.fault, exchange.call
        try:
            faults.check_key(exchange)
            await faults.fail_before_answer(exchange)
            await answerer(exchange)
        except (UnreadableRequestError, KeyError, TypeError, AttributeError) as exc:
            refused = RefusedError(
                outcome="unreadable", status=400, message=f"Invalid request: {exc}"
            )
        except RefusedError as exc:
            refused = exc
        except HangUpError:
            self.calls.end(call, str(FaultKind.CUT))
            raise
        else:
            self.calls.end(call, str(fault.kind) if fault else CALL_COMPLETED)
            return
        self.calls.end(call, refused.outcome)
        await refused.answer(exchange)

    async def _change_script(self, request: Request, send: Send) -> None:
        try:
            self.play(**orjson.loads(await request.body()))
        except (orjson.JSONDecodeError, TypeError) as exc:
            content: JsonObject = {"error": f"A JSON object is wanted: {exc}"}
            await _answer_json(request, send, content, 400)
        except ValidationError as exc:
            problems = [
                f"{'.'.join(map(str, error['loc'])) or 'script'}: {error['msg']}"
                for error in exc.errors()
            ]
            await _answer_json(request, send, {"error": "; ".join(problems)}, 400)
        else:
            await _answer_json(request, send, _script_json(self.script))

    async def _reset_and_show(self, request: Request, send: Send) -> None:
        self.reset()
        await _answer_json(request, send, _script_json(self.script))

    async def _show_calls(self, request: Request, send: Send) -> None:
        await _answer_json(request, send, self.calls.shown())

    async def _show_script(self, request: Request, send: Send) -> None:
        await _answer_json(request, send, _script_json(self.script))


class _Server(uvicorn.Server):
    """Runs beside its caller: handles no signals, and sets an event when it listens."""

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
    script: Script | None = None, **settings: Any
) -> AsyncIterator[ScriptedModelServer]:
    """Run a server on a free port of this machine during the block."""
    chosen = (script or Script()).changed(settings)
    async with ScriptedModelServer(chosen) as server:
        yield server


def _script_json(script: Script) -> JsonObject:
    """Return a script without its key."""
    shown: JsonObject = script.model_dump(mode="json", exclude={"api_key"})
    return shown


async def _not_found(request: Request, send: Send) -> None:
    await _answer_json(request, send, {"error": "Not found."}, 404)


async def _disconnected(receive: Receive) -> None:
    """Wait until the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer_json(
    request: Request, send: Send, content: JsonObject, status: int = 200
) -> None:
    body = orjson.dumps(content)
    response = Response(body, status, media_type="application/json")
    await response(request.scope, request.receive, send)


async def _models(exchange: Exchange) -> None:
    await exchange.answer(openai.models(exchange.script.models))


async def _rerank(exchange: Exchange) -> None:
    await exchange.answer(rerank(exchange.call.body))


async def _embeddings(exchange: Exchange) -> None:
    body, script = exchange.call.body, exchange.script
    faults.check_model(exchange, str(body.get("model", "")))
    texts = openai.embedding_input(body)
    dimensions = body.get("dimensions") or script.embedding_dimensions
    english_only = script.english_only
    same = meanings(script.alike, english_only=english_only)
    vectors = [
        embed(same.get(text, text), dimensions, english_only=english_only)
        for text in texts
    ]
    counted = sum(len(pieces(text)) for text in texts)
    await exchange.answer(openai.embeddings(body, vectors, counted))


async def _chat(exchange: Exchange) -> None:
    script, fault = exchange.script, exchange.fault
    if exchange.wire is OPENAI_FORMAT:
        faults.check_deviations(exchange.call.body, script)
    content = orjson.dumps(exchange.call.body, option=orjson.OPT_SORT_KEYS)
    identity = hashlib.sha256(content).hexdigest()[:29]
    prompt = exchange.wire.read(exchange.call.body, identity)
    faults.check_prompt(exchange, prompt)
    if not script.supports_stream_usage:
        prompt = replace(prompt, usage_in_stream=False)
    reply = answer(prompt, script, fault.kind if fault else None)
    faults.check_window(exchange, reply)
    if exchange.wire is OPENAI_FORMAT:
        prompt, reply = faults.deviating_reply(prompt, reply, script)
    if prompt.stream:
        frames = exchange.wire.frames(prompt, reply)
        frames = faults.with_pings(frames, script)
        await exchange.stream(faults.broken_frames(frames, exchange.fault))
    else:
        await _answer_whole(exchange, prompt, reply)


async def _answer_whole(
    exchange: Exchange, prompt: ScriptedPrompt, reply: Reply
) -> None:
    script = exchange.script
    delay_ms = script.delay_per_token_ms * len(reply.pieces)
    await asyncio.sleep((script.first_token_delay_ms + delay_ms) / 1000)
    content = exchange.wire.whole(prompt, reply)
    if exchange.fault and exchange.has_fault(FaultKind.CUT, FaultKind.SILENCE):
        await exchange.half(content)
        return
    if exchange.has_fault(FaultKind.STREAM_ERROR):
        raise RefusedError(
            outcome="stream_error", status=500, message="Failed while answering."
        )
    if exchange.has_fault(FaultKind.MALFORMED):
        await exchange.answer(orjson.dumps(content)[:-20])
        return
    exchange.call.tokens_sent = len(reply.pieces)
    await exchange.answer(content)
