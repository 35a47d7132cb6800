"""The routes of the wires: each call is counted, may fail, and is answered."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import orjson
from aiohttp import web

from dossier.testing.model_server import checks, failing
from dossier.testing.model_server.answering.embedding import embed, meanings
from dossier.testing.model_server.answering.model import answer
from dossier.testing.model_server.answering.reranking import rerank
from dossier.testing.model_server.answering.tokens import pieces
from dossier.testing.model_server.calls import COMPLETED, DISCONNECTED
from dossier.testing.model_server.conversation import (
    Json,
    Prompt,
    Reply,
    UnreadableRequestError,
)
from dossier.testing.model_server.exchange import Exchange
from dossier.testing.model_server.failing import RefusedError, json_response
from dossier.testing.model_server.pacing import Stream, chunk
from dossier.testing.model_server.script import Area, FaultKind
from dossier.testing.model_server.state import State
from dossier.testing.model_server.wires import openai
from dossier.testing.model_server.wires.wire import ANTHROPIC, OPENAI, Wire

_STREAM_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache",
}
_MS = 1000


Answerer = Callable[[Exchange], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Routes:
    """Handlers over one state."""

    state: State

    def table(self) -> list[web.RouteDef]:
        """Return every route, with and without the version before it."""
        models = self._counted("models", OPENAI, self._models)
        reranked = self._counted("rerank", OPENAI, self._rerank)
        return [
            web.get("/v1/models", models),
            web.post("/v1/chat/completions", self._counted("chat", OPENAI, self._chat)),
            web.post("/v1/messages", self._counted("chat", ANTHROPIC, self._chat)),
            web.post(
                "/v1/embeddings", self._counted("embeddings", OPENAI, self._embeddings)
            ),
            web.post("/v1/rerank", reranked),
            web.post("/rerank", reranked),
        ]

    def _counted(
        self, area: Area, wire: Wire, answerer: Answerer
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = _body(await request.read())
            call = self.state.calls.begin(request.path, body, _key(request))
            fault = self.state.pending.take(area)
            exchange = Exchange(request, call, self.state.script, fault, wire)
            try:
                return await self._answered(exchange, answerer)
            except asyncio.CancelledError:
                self.state.calls.end(call, DISCONNECTED)
                raise

        return handle

    async def _answered(
        self, exchange: Exchange, answerer: Answerer
    ) -> web.StreamResponse:
        fault, call = exchange.fault, exchange.call
        try:
            checks.check_key(exchange)
            await failing.before_answer(fault, exchange.wire)
            response = await answerer(exchange)
        except (UnreadableRequestError, KeyError, TypeError, AttributeError) as exc:
            refused = RefusedError(
                outcome="unreadable", status=400, message=f"Invalid request: {exc}"
            )
        except RefusedError as exc:
            refused = exc
        else:
            self.state.calls.end(call, str(fault.kind) if fault else COMPLETED)
            return response
        self.state.calls.end(call, refused.outcome)
        return refused.response(exchange.wire)

    async def _models(self, exchange: Exchange) -> web.StreamResponse:
        return json_response(openai.models(exchange.script.models))

    async def _rerank(self, exchange: Exchange) -> web.StreamResponse:
        return json_response(rerank(exchange.call.body))

    async def _embeddings(self, exchange: Exchange) -> web.StreamResponse:
        body, script = exchange.call.body, exchange.script
        checks.check_model(exchange, str(body.get("model", "")))
        texts = openai.embedding_input(body)
        dimensions = body.get("dimensions") or script.embedding_dimensions
        only = script.english_only
        same = meanings(script.alike, english_only=only)
        vectors = [
            embed(same.get(text, text), dimensions, english_only=only) for text in texts
        ]
        counted = sum(len(pieces(text)) for text in texts)
        return json_response(openai.embeddings(body, vectors, counted))

    async def _chat(self, exchange: Exchange) -> web.StreamResponse:
        script, fault = exchange.script, exchange.fault
        prompt = exchange.wire.read(exchange.call.body, _identity(exchange))
        checks.check_prompt(exchange, prompt)
        if not script.supports_stream_usage:
            prompt = replace(prompt, usage_in_stream=False)
        reply = answer(prompt, script, fault.kind if fault else None)
        checks.check_window(exchange, reply)
        if prompt.stream:
            return await self._streamed(exchange, prompt, reply)
        return await self._whole(exchange, prompt, reply)

    async def _whole(
        self, exchange: Exchange, prompt: Prompt, reply: Reply
    ) -> web.StreamResponse:
        script = exchange.script
        delay_ms = script.delay_per_token_ms * len(reply.pieces)
        await asyncio.sleep((script.first_token_delay_ms + delay_ms) / _MS)
        content = exchange.wire.whole(prompt, reply)
        if exchange.fault and exchange.meets(FaultKind.CUT, FaultKind.SILENCE):
            return await failing.half_response(
                exchange.request, content, exchange.fault
            )
        if exchange.meets(FaultKind.STREAM_ERROR):
            raise RefusedError(
                outcome="stream_error", status=500, message="Failed while answering."
            )
        if exchange.meets(FaultKind.MALFORMED):
            broken = orjson.dumps(content)[:-20]
            return web.Response(body=broken, content_type="application/json")
        exchange.call.tokens_sent = len(reply.pieces)
        return json_response(content)

    async def _streamed(
        self, exchange: Exchange, prompt: Prompt, reply: Reply
    ) -> web.StreamResponse:
        script, request = exchange.script, exchange.request
        frames = failing.broken_frames(
            exchange.wire.frames(prompt, reply), exchange.fault
        )
        response = web.StreamResponse(headers=_STREAM_HEADERS)
        response.enable_chunked_encoding()
        try:
            await response.prepare(request)
        except ConnectionResetError:  # the caller did not wait for the first byte
            raise asyncio.CancelledError from None
        if request.transport is None:
            raise asyncio.CancelledError
        loop = asyncio.get_running_loop()
        stream = Stream(
            transport=request.transport,
            opening=frames.opening,
            tokens=frames.tokens,
            first_at=loop.time() + script.first_token_delay_ms / _MS,
            delay_s=script.delay_per_token_ms / _MS,
            call=exchange.call,
            done=loop.create_future(),
        )
        await self.state.pacer.play(stream)
        return await _closed(exchange, response, frames.closing)


async def _closed(
    exchange: Exchange, response: web.StreamResponse, closing: bytes
) -> web.StreamResponse:
    """End a stream: properly, not at all, or by hanging up."""
    transport = exchange.request.transport
    if transport is None or transport.is_closing():
        raise asyncio.CancelledError
    if exchange.meets(FaultKind.SILENCE):
        await asyncio.get_running_loop().create_future()
    if exchange.meets(FaultKind.CUT):
        failing.hang_up(exchange.request)
        return response
    transport.write(chunk(closing))
    await response.write_eof()
    return response


def _body(content: bytes) -> Json:
    """Return the JSON of a request; nothing that is none."""
    try:
        body = orjson.loads(content) if content else {}
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _key(request: web.Request) -> str | None:
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return request.headers.get("x-api-key") or bearer or None


def _identity(exchange: Exchange) -> str:
    content = orjson.dumps(exchange.call.body, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()[:29]
