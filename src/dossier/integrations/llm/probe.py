"""Asks a server what it supports; every step has a time-out.

A probe belongs to no organisation, so no ledger keeps it. It takes some hundred tokens.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel

from dossier.core.errors import AppError
from dossier.integrations.llm.client import ChatClient
from dossier.integrations.llm.embeddings import EmbeddingClient
from dossier.integrations.llm.exceptions import (
    ModelRefusedError,
    ModelResponseMalformedError,
)
from dossier.integrations.llm.failures import CallFailedError
from dossier.integrations.llm.language_pairs import (
    LANGUAGES,
    load_pairs,
    sentences,
    separates,
)
from dossier.integrations.llm.plan import ModelPlan
from dossier.integrations.llm.server import ServerClient
from dossier.integrations.llm.types import (
    CallRecord,
    CallTag,
    Completion,
    CompletionRequest,
    EmbeddingModel,
    PromptMessage,
    ServerAbilities,
)

_STEP_S = 20.0
_MAX_TOKENS = 256  # some models think before they answer
_NOBODY = CallTag(org_id=UUID(int=0), user_id=None, feature="ai.probe")
_GREETING = (PromptMessage("user", "Reply with the word OK."),)
_COUNTING = (
    PromptMessage("user", "Count from one to ten in words, separated by commas."),
    PromptMessage("assistant", "one, two, three, four,"),
)
_FILLS = ServerAbilities(reachable=True, json_schema=True, tools=False)
_CALLS = ServerAbilities(reachable=True, json_schema=False, tools=True)
T = TypeVar("T")


class Sum(BaseModel):
    """The sum of two numbers."""

    sum: int


class _NoLedger:
    """Satisfies `Recorder` without a budget, and keeps the last record."""

    last: CallRecord | None = None

    async def reserve(self, _tag: CallTag, _model: str, _tokens: int, /) -> UUID:
        return UUID(int=0)

    async def settle(self, _reservation: UUID, record: CallRecord, /) -> None:
        self.last = record


async def probe(plan: ModelPlan, step_s: float = _STEP_S) -> ServerAbilities:
    """Return what the first server, and the one that embeds, can do; never raises."""
    # One try, and no longer than a step.
    limits = replace(
        plan.limits,
        connect_timeout_s=min(plan.limits.connect_timeout_s, step_s),
        first_token_timeout_s=min(plan.limits.first_token_timeout_s, step_s),
        idle_timeout_s=min(plan.limits.idle_timeout_s, step_s),
        max_retries=0,
        breaker_failures=1_000,
    )
    bounded = replace(plan, servers=plan.servers[:1], limits=limits)
    return await _Probe(bounded, step_s).run()


async def probe_embedder(
    embedder: EmbeddingModel, tag: CallTag = _NOBODY, step_s: float = _STEP_S
) -> tuple[int | None, tuple[str, ...]]:
    """Return the size of an embedder's vectors and the languages it separates.

    Where the embedder keeps a ledger, `tag` says who pays.
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
    """The probe of one server, step by step."""

    def __init__(self, plan: ModelPlan, step_s: float) -> None:
        self._plan = plan
        self._step_s = step_s
        self._ledger = _NoLedger()
        self._abilities = _FILLS
        self._problem: str | None = None

    async def run(self) -> ServerAbilities:
        """Ask for the models, then for an answer, then for each further ability."""
        server = ServerClient(self._plan.servers[0], self._plan.limits)
        # Typed answers are asked for in the form that is being tried.
        chat = ChatClient(self._plan, self._ledger, self._current_form)
        try:
            listed = await self._try(server.list_models)
            answer = await self._try(lambda: _complete(chat, _GREETING))
            dimensions, languages = await self._embeddings()
            found = ServerAbilities(
                reachable=answer is not None,
                problem=None if answer is not None else self._problem,
                models=listed or (),
                embedding_dimensions=dimensions,
                embedding_languages=languages,
            )
            if answer is None:
                return found
            counted = await _tried(lambda: _complete(chat, _COUNTING), self._step_s)
            text = counted.text.strip(" ,\n").lower() if counted else ""
            return replace(
                found,
                stream_usage=answer.usage.output_tokens is not None,
                continues_text=text.startswith("five"),  # not with `one` again
                tools=await self._answers_in(chat, _CALLS),
                json_schema=await self._answers_in(chat, _FILLS),
            )
        finally:
            await server.close()
            await chat.close()

    async def _current_form(self) -> ServerAbilities:
        return self._abilities

    async def _answers_in(self, chat: ChatClient, form: ServerAbilities) -> bool | None:
        """Return whether typed answers come in a form; a refusal of it is a no."""
        self._abilities = form
        try:
            async with asyncio.timeout(self._step_s):
                answer = await chat.typed(
                    Sum,
                    instructions="Answer in the form that is asked for.",
                    prompt="What is 2 + 3?",
                    tag=_NOBODY,
                    max_requests=1,
                    max_output_tokens=_MAX_TOKENS,
                )
        except (ModelResponseMalformedError, ModelRefusedError):
            return False
        except (AppError, TimeoutError):
            code = (self._ledger.last and self._ledger.last.error_code) or ""
            return False if code.startswith("http_4") else None
        return isinstance(answer, Sum)

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
        except CallFailedError as failed:
            self._problem = failed.error.detail
        except AppError as error:
            self._problem = error.detail
        except TimeoutError:
            self._problem = "The model server took longer than allowed."
        return None


async def _complete(
    chat: ChatClient, messages: tuple[PromptMessage, ...]
) -> Completion:
    request = CompletionRequest(messages, max_output_tokens=_MAX_TOKENS)
    return await chat.complete(request, _NOBODY)


async def _tried(step: Callable[[], Awaitable[T]], step_s: float) -> T | None:
    try:
        async with asyncio.timeout(step_s):
            return await step()
    except (AppError, TimeoutError):
        return None
