"""What a server can do, found out by asking it; every step ends in time.

A probe is on nobody's account: it belongs to no organisation, so no ledger keeps it.
It costs a few hundred tokens.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from dossier.core.errors import AppError
from dossier.integrations.llm.catalogue import list_models
from dossier.integrations.llm.client import ChatClient
from dossier.integrations.llm.embeddings import EmbeddingClient
from dossier.integrations.llm.faults import AttemptFailedError
from dossier.integrations.llm.models import (
    CallRecord,
    CallTag,
    ChatMessage,
    ChatRequest,
    Completion,
    EmbeddingModel,
    Purpose,
    ServerAbilities,
)
from dossier.integrations.llm.pairs import LANGUAGES, load_pairs, sentences, separates
from dossier.integrations.llm.plan import CallLimits, ModelPlan
from dossier.integrations.llm.questions import (
    calls_tool,
    fills_schema,
    schema_question,
    tool_question,
)
from dossier.integrations.llm.transport import Transport
from dossier.integrations.llm.wires import wire_of

_STEP_S = 20.0
_MAX_TOKENS = 256  # some models think before they answer
_NOBODY = CallTag(org_id=UUID(int=0), user_id=None, feature="ai.probe")
_GREETING = (ChatMessage("user", "Reply with the word OK."),)
_COUNTING = (
    ChatMessage("user", "Count from one to ten in words, separated by commas."),
    ChatMessage("assistant", "one, two, three, four,"),
)
T = TypeVar("T")


class _NoLedger:
    """Lets every call pass and keeps nothing."""

    def is_uncounted(self, _tag: CallTag) -> bool:
        """Wait for nothing."""
        return True

    async def reserve(
        self, _tag: CallTag, _model: str, _tokens: int, /, *, goes_ahead: bool = False
    ) -> UUID:
        del goes_ahead
        return UUID(int=0)

    async def settle(self, _reservation: UUID, _record: CallRecord, /) -> None:
        return None


async def probe(plan: ModelPlan, step_s: float = _STEP_S) -> ServerAbilities:
    """Return what the first server, and the one that embeds, can do; never raises."""
    limits = _hurried(plan.limits, step_s)
    hurried = replace(plan, servers=plan.servers[:1], limits=limits)
    transport = Transport.shared(limits)
    chat = ChatClient(hurried, _NoLedger())
    try:
        return await _Probe(hurried, transport, chat, step_s).run()
    finally:
        await chat.close()
        await transport.close()


async def probe_embedder(
    embedder: EmbeddingModel, tag: CallTag = _NOBODY, step_s: float = _STEP_S
) -> tuple[int | None, tuple[str, ...]]:
    """Return the size of an embedder's vectors and the languages it tells apart.

    Where the embedder keeps a ledger, `tag` says on whose account it is.
    """
    dimensions: int | None = None
    languages: list[str] = []
    for language in LANGUAGES:
        texts = sentences(load_pairs(language))
        vectors = await _tried(partial(embedder.embed, texts, tag), step_s)
        if not vectors:
            return None, ()
        dimensions = len(vectors[0])
        if await asyncio.to_thread(separates, vectors):
            languages.append(language)
    return dimensions, tuple(languages)


class _Probe:
    """One look at one server, step by step."""

    def __init__(
        self, plan: ModelPlan, transport: Transport, chat: ChatClient, step_s: float
    ) -> None:
        self._plan = plan
        self._server = plan.servers[0]
        self._transport = transport
        self._chat = chat
        self._step_s = step_s
        self._problem: str | None = None

    async def run(self) -> ServerAbilities:
        """Ask for the models, then for an answer; then for what is special."""
        listed = await self._try(
            lambda: list_models(self._transport, self._plan, self._server)
        )
        answer = await self._try(lambda: self._complete(_GREETING))
        dimensions, languages = await self._embeddings()
        found = ServerAbilities(
            reachable=answer is not None,
            problem=None if answer is not None else self._problem,
            models=listed or (),
            embedding_dimensions=dimensions,
            embedding_languages=languages,
        )
        return found if answer is None else await self._specials(found, answer)

    async def _specials(
        self, found: ServerAbilities, answer: Completion
    ) -> ServerAbilities:
        model = self._chat.model_name(Purpose.STRONG)
        return replace(
            found,
            stream_usage=answer.usage.output_tokens is not None,
            continues_text=await self._continues(),
            tools=await self._asks(tool_question(self._server, model), calls_tool),
            json_schema=await self._asks(
                schema_question(self._server, model), fills_schema
            ),
        )

    async def _complete(self, messages: tuple[ChatMessage, ...]) -> Completion:
        request = ChatRequest(messages, max_output_tokens=_MAX_TOKENS)
        return await self._chat.complete(request, _NOBODY)

    async def _continues(self) -> bool | None:
        """See whether counting goes on at five, and not at one again."""
        answer = await _tried(lambda: self._complete(_COUNTING), self._step_s)
        if answer is None:
            return False
        return answer.text.strip(" ,\n").lower().startswith("five")

    async def _asks(
        self, body: dict[str, Any], holds: Callable[[Any], bool]
    ) -> bool | None:
        """Ask without streaming; a server that refuses the question cannot do it."""
        wire = wire_of(self._server)
        try:
            async with asyncio.timeout(self._step_s):
                told = await self._transport.fetch(
                    self._server,
                    wire.chat_path(),
                    wire.headers(self._server),
                    body,
                    self._plan.limits,
                )
            return holds(told)
        except AttemptFailedError as failed:
            return None if failed.handling.blames_server else False
        except (TimeoutError, *_UNFIT):
            return None

    async def _embeddings(self) -> tuple[int | None, tuple[str, ...]]:
        if self._plan.embedder is None:
            return None, ()
        client = EmbeddingClient(self._plan, self._plan.embedder, _NoLedger())
        try:
            return await probe_embedder(client, step_s=self._step_s)
        finally:
            await client.close()

    async def _try(self, step: Callable[[], Awaitable[T]]) -> T | None:
        try:
            async with asyncio.timeout(self._step_s):
                return await step()
        except AttemptFailedError as failed:
            self._problem = failed.error.detail
        except AppError as error:
            self._problem = error.detail
        except TimeoutError:
            self._problem = f"{self._server.label} took longer than allowed."
        return None


_UNFIT = (ValueError, TypeError, LookupError, AttributeError)


async def _tried(step: Callable[[], Awaitable[T]], step_s: float) -> T | None:
    try:
        async with asyncio.timeout(step_s):
            return await step()
    except (AppError, TimeoutError):
        return None


def _hurried(limits: CallLimits, step_s: float) -> CallLimits:
    """Return limits for a look: one try, and no longer than a step."""
    return replace(
        limits,
        connect_timeout_s=min(limits.connect_timeout_s, step_s),
        first_token_timeout_s=min(limits.first_token_timeout_s, step_s),
        idle_timeout_s=min(limits.idle_timeout_s, step_s),
        max_retries=0,
        breaker_failures=1_000,
    )
