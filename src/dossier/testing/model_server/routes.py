"""The routes of the wires: each call is counted, may fail, and is answered."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

import orjson
from starlette.requests import Request
from starlette.types import Send

from dossier.testing.model_server import checks, deviating, failing
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
from dossier.testing.model_server.exchange import Exchange, HangUpError
from dossier.testing.model_server.failing import RefusedError
from dossier.testing.model_server.script import Area, FaultKind
from dossier.testing.model_server.state import State
from dossier.testing.model_server.wires import openai
from dossier.testing.model_server.wires.wire import ANTHROPIC, OPENAI, Wire

_MS = 1000

Answerer = Callable[[Exchange], Awaitable[None]]
Handler = Callable[[Request, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Routes:
    """Handlers over one state."""

    state: State

    def table(self) -> Mapping[tuple[str, str], Handler]:
        """Return every route, with and without the version before it."""
        reranked = self._counted("rerank", OPENAI, self._rerank)
        return {
            ("GET", "/v1/models"): self._counted("models", OPENAI, self._models),
            ("POST", "/v1/chat/completions"): self._counted("chat", OPENAI, self._chat),
            ("POST", "/v1/messages"): self._counted("chat", ANTHROPIC, self._chat),
            ("POST", "/v1/embeddings"): self._counted(
                "embeddings", OPENAI, self._embeddings
            ),
            ("POST", "/v1/rerank"): reranked,
            ("POST", "/rerank"): reranked,
        }

    def _counted(self, area: Area, wire: Wire, answerer: Answerer) -> Handler:
        async def handle(request: Request, send: Send) -> None:
            body = _body(await request.body())
            call = self.state.calls.begin(request.url.path, body, _key(request))
            fault = self.state.pending.take(area)
            exchange = Exchange(send, call, self.state.script, fault, wire)
            try:
                await self._answered(exchange, answerer)
            except asyncio.CancelledError:
                self.state.calls.end(call, DISCONNECTED)
                raise

        return handle

    async def _answered(self, exchange: Exchange, answerer: Answerer) -> None:
        fault, call = exchange.fault, exchange.call
        try:
            checks.check_key(exchange)
            await failing.before_answer(fault, exchange.wire)
            await answerer(exchange)
        except (UnreadableRequestError, KeyError, TypeError, AttributeError) as exc:
            refused = RefusedError(
                outcome="unreadable", status=400, message=f"Invalid request: {exc}"
            )
        except RefusedError as exc:
            refused = exc
        except HangUpError:
            self.state.calls.end(call, str(FaultKind.CUT))
            raise
        else:
            self.state.calls.end(call, str(fault.kind) if fault else COMPLETED)
            return
        self.state.calls.end(call, refused.outcome)
        await refused.answer(exchange)

    async def _models(self, exchange: Exchange) -> None:
        await exchange.answer(openai.models(exchange.script.models))

    async def _rerank(self, exchange: Exchange) -> None:
        await exchange.answer(rerank(exchange.call.body))

    async def _embeddings(self, exchange: Exchange) -> None:
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
        await exchange.answer(openai.embeddings(body, vectors, counted))

    async def _chat(self, exchange: Exchange) -> None:
        script, fault = exchange.script, exchange.fault
        if exchange.wire is OPENAI:
            deviating.check(exchange.call.body, script)
        prompt = exchange.wire.read(exchange.call.body, _identity(exchange))
        checks.check_prompt(exchange, prompt)
        if not script.supports_stream_usage:
            prompt = replace(prompt, usage_in_stream=False)
        reply = answer(prompt, script, fault.kind if fault else None)
        checks.check_window(exchange, reply)
        if exchange.wire is OPENAI:
            prompt, reply = deviating.answered(prompt, reply, script)
        if prompt.stream:
            frames = exchange.wire.frames(prompt, reply)
            frames = deviating.with_pings(frames, script)
            await exchange.stream(failing.broken_frames(frames, exchange.fault))
        else:
            await self._whole(exchange, prompt, reply)

    async def _whole(self, exchange: Exchange, prompt: Prompt, reply: Reply) -> None:
        script = exchange.script
        delay_ms = script.delay_per_token_ms * len(reply.pieces)
        await asyncio.sleep((script.first_token_delay_ms + delay_ms) / _MS)
        content = exchange.wire.whole(prompt, reply)
        if exchange.fault and exchange.meets(FaultKind.CUT, FaultKind.SILENCE):
            await exchange.half(content)
            return
        if exchange.meets(FaultKind.STREAM_ERROR):
            raise RefusedError(
                outcome="stream_error", status=500, message="Failed while answering."
            )
        if exchange.meets(FaultKind.MALFORMED):
            await exchange.answer(orjson.dumps(content)[:-20])
            return
        exchange.call.tokens_sent = len(reply.pieces)
        await exchange.answer(content)


def _body(content: bytes) -> Json:
    """Return the JSON of a request; nothing that is none."""
    try:
        body = orjson.loads(content) if content else {}
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _key(request: Request) -> str | None:
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return request.headers.get("x-api-key") or bearer or None


def _identity(exchange: Exchange) -> str:
    content = orjson.dumps(exchange.call.body, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()[:29]
