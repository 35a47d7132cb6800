"""The client of chat models: text, streams and typed answers."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pydantic_ai
from pydantic_ai import Agent
from pydantic_ai import exceptions as theirs
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    SystemPromptPart,
    TextPart,
    TextPartDelta,
    UserPromptPart,
)
from pydantic_ai.models import Model, StreamedResponse
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import UsageLimits

from dossier.core.errors import AppError
from dossier.integrations.llm import failures
from dossier.integrations.llm.budgeted import BudgetedModel, paid_by
from dossier.integrations.llm.exceptions import (
    ModelRefusedError,
    ModelResponseMalformedError,
    ModelUnavailableError,
)
from dossier.integrations.llm.failures import CallFailedError
from dossier.integrations.llm.idle import IdleWatch
from dossier.integrations.llm.plan import ModelPlan
from dossier.integrations.llm.server import ServerClient, output_form
from dossier.integrations.llm.thinking import CLOSING, OPENING
from dossier.integrations.llm.types import (
    CallTag,
    Completed,
    Completion,
    CompletionRequest,
    FinishReason,
    PromptMessage,
    Purpose,
    Recorder,
    ServerAbilities,
    StreamEvent,
    TextDelta,
    TextDiscarded,
    Usage,
)
from dossier.integrations.llm.usage import usage_of

pydantic_ai.BANNER_ENABLED = False  # it would be printed into the worker's log

T = TypeVar("T")
AskAbilities = Callable[[], Awaitable[ServerAbilities | None]]

_MAX_REPAIRS = 2
_MAX_TOOL_CALLS = 32
_CHARACTERS_PER_TOKEN = 16
"""More than any model makes of its tokens, over a whole answer."""
_LEAST_CHARACTERS = 4_096
_LONGEST_NAME = 200
_TAG_WINDOW = 4_096
"""Characters in which a tag is looked for: more than a piece has."""
_FINISHES: dict[str | None, FinishReason] = {
    "length": "length",
    "content_filter": "refusal",
}


class ChatClient:
    """Asks the configured chat models; one object serves a whole process."""

    def __init__(
        self,
        plan: ModelPlan,
        recorder: Recorder,
        abilities: AskAbilities | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = plan.limits
        self._recorder = recorder
        self._abilities = abilities
        taken = tuple(plan.embedder.models.values()) if plan.embedder else ()
        self._servers = [
            ServerClient(server, plan.limits, taken=taken, monotonic=monotonic)
            for server in plan.servers
        ]
        self._models: dict[Purpose, Model] = {}
        self._slots = asyncio.Semaphore(plan.limits.max_concurrent)

    def model_name(self, purpose: Purpose) -> str:
        """Return the first model of a purpose; `UNNAMED` until its server was asked."""
        return self._serving(purpose)[0].known_name(purpose)

    async def find_name(self, purpose: Purpose) -> str:
        """Return the same, asking a server whose model is not named in the settings."""
        try:
            return await self._serving(purpose)[0].find_name(purpose)
        except CallFailedError:
            return self.model_name(purpose)  # the call itself will say what is wrong

    def server_label(self, purpose: Purpose) -> str:
        """Return host and port of the server that a purpose is served by first."""
        return self._serving(purpose)[0].server.label

    def warm_up(self) -> None:
        """Build all models now: the first question need not wait for imports."""
        for purpose in Purpose:
            if any(purpose in each.server.models for each in self._servers):
                self._model(purpose)

    async def close(self) -> None:
        """Close the connections."""
        for server in self._servers:
            await server.close()

    async def complete(self, request: CompletionRequest, tag: CallTag) -> Completion:
        """Return the whole answer."""
        texts: list[str] = []
        async for event in self.stream(request, tag):
            if isinstance(event, TextDelta):
                texts.append(event.text)
            elif isinstance(event, TextDiscarded):
                texts.clear()
            else:
                return Completion(
                    "".join(texts), event.model, event.usage, event.finish_reason
                )
        raise AssertionError  # a stream ends with its end, or raises

    async def stream(
        self, request: CompletionRequest, tag: CallTag
    ) -> AsyncGenerator[StreamEvent]:
        """Yield the answer piece by piece; closing the iterator stops the model."""
        model = self._model(request.purpose)
        max_tokens = request.max_output_tokens or self._limits.max_output_tokens
        settings = ModelSettings(max_tokens=max_tokens)
        opening = model_request_stream(
            model, _messages_of(request.messages), model_settings=settings
        )
        async with self._slot():
            try:
                async with AsyncExitStack() as stack:
                    with paid_by(tag):  # left before anything is yielded
                        stream = await stack.enter_async_context(opening)
                    texts = self._texts(stream, max_tokens)
                    await stack.enter_async_context(aclosing(texts))
                    async for text in texts:
                        yield TextDiscarded() if text is None else TextDelta(text)
            except (CallFailedError, theirs.AgentRunError, ExceptionGroup) as error:
                raise _problem_of(error) from None
        name: object = stream.model_name
        if not isinstance(name, str) or not name:  # servers send anything as a name
            name = self.model_name(request.purpose)
        name = name.replace("\0", "")[:_LONGEST_NAME]
        if stream.cancelled:
            yield Completed(name, Usage(), "length", _label_of(stream))
        else:
            reason = _FINISHES.get(stream.finish_reason, "stop")
            yield Completed(name, usage_of(stream.usage), reason, _label_of(stream))

    async def typed(
        self,
        output_type: type[T],
        *,
        instructions: str,
        prompt: str,
        tag: CallTag,
        purpose: Purpose = Purpose.STRONG,
        max_requests: int = 8,
        max_output_tokens: int | None = None,
        tools: Sequence[Callable[..., Any]] = (),
    ) -> T:
        """Return an answer of a type; each request is a call of its own."""
        first = self._serving(purpose)[0]
        abilities = await self._abilities() if self._abilities else None
        form = output_form(
            output_type, first.server, first.known_name(purpose), abilities
        )
        agent: Agent[None, Any] = Agent(
            self._model(purpose),
            output_type=form,
            instructions=instructions,
            tools=tools,
            retries=_MAX_REPAIRS,
            name="dossier",
        )
        limits = UsageLimits(
            request_limit=max_requests, tool_calls_limit=_MAX_TOOL_CALLS
        )
        max_tokens = max_output_tokens or self._limits.max_output_tokens
        async with self._slot():
            try:
                with paid_by(tag):
                    result = await agent.run(
                        prompt,
                        usage_limits=limits,
                        model_settings=ModelSettings(max_tokens=max_tokens),
                    )
            except (
                CallFailedError,
                theirs.AgentRunError,
                theirs.UserError,
                ExceptionGroup,
            ) as error:
                # Its text repeats the documents that were read: not for the log.
                raise _problem_of(error) from None
        found: T = result.output
        return found

    def _serving(self, purpose: Purpose) -> list[ServerClient]:
        """Return the servers that have a model for a purpose, first choice first."""
        serving = [each for each in self._servers if purpose in each.server.models]
        if not serving:
            detail = f"No model is set for purpose {purpose}."
            raise ModelUnavailableError(detail)
        return serving

    def _model(self, purpose: Purpose) -> Model:
        """Return the model of a purpose with its fallbacks; building it takes 2 ms."""
        if purpose not in self._models:
            first, *others = [
                BudgetedModel(server, purpose, self._recorder)
                for server in self._serving(purpose)
            ]
            self._models[purpose] = (
                FallbackModel(first, *others, fallback_on=_falls_back)
                if others
                else first
            )
        return self._models[purpose]

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        """Hold one of the slots for calls under way."""
        try:
            async with asyncio.timeout(self._limits.first_token_timeout_s):
                await self._slots.acquire()
        except TimeoutError:
            detail = "All `DOSSIER_AI__MAX_CONCURRENT` calls are under way."
            raise ModelUnavailableError(detail, retry_after_s=5) from None
        try:
            yield
        finally:
            self._slots.release()

    async def _texts(
        self, stream: StreamedResponse, max_tokens: int
    ) -> AsyncGenerator[str | None]:
        """Yield the pieces of an answer; end one that is longer than allowed.

        `None` follows pieces that were thoughts: some servers send these without an
        opening tag, which is known at the closing one. It is remembered per server.
        """
        shown, opened = "", False
        left = max(_LEAST_CHARACTERS, max_tokens * _CHARACTERS_PER_TOKEN)
        events, limit_s = aiter(stream), self._limits.idle_timeout_s
        with IdleWatch(limit_s) as watch:
            while True:
                try:
                    event = await watch.next(events)
                except StopAsyncIteration:
                    break
                except TimeoutError:
                    label = _label_of(stream)
                    raise failures.silent(label, limit_s, has_begun=True) from None
                text = _text_of(event).replace("\0", "")
                if len(text) > left:
                    await stream.cancel()
                    yield text[:left]
                    return
                left -= len(text)
                shown = (shown + text)[-_TAG_WINDOW:]
                opened = opened or OPENING in shown
                if not opened and CLOSING in shown:
                    opened = True  # one at the most
                    for each in self._servers:
                        if each.server.label == _label_of(stream):
                            each.transport.thinks = True
                    yield None
                    text = shown.rpartition(CLOSING)[2].lstrip()
                if text:
                    yield text
        refusal = (stream.provider_details or {}).get("refusal")
        if isinstance(refusal, str):
            yield refusal


def _falls_back(error: Exception) -> bool:
    if isinstance(error, CallFailedError):
        return not error.is_final
    return isinstance(error, theirs.ModelRequestTimeout)


def _problem_of(error: Exception) -> AppError:
    """Return the problem that callers get; of several failures the first."""
    if isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, CallFailedError):
        return error.error
    if isinstance(error, theirs.ModelRequestTimeout):
        return failures.silent(error.model_name, error.timeout, has_begun=False).error
    for kind, problem in _PROBLEMS:
        if isinstance(error, kind):
            return problem()
    return ModelResponseMalformedError("The model's answer does not fit its form.")


_PROBLEMS: tuple[tuple[type[Exception], Callable[[], AppError]], ...] = (
    (theirs.ContentFilterError, ModelRefusedError),
    (
        theirs.UsageLimitExceeded,
        partial(ModelResponseMalformedError, "No answer within the calls allowed."),
    ),
    (
        theirs.OutputTokenLimitExceeded,
        partial(ModelResponseMalformedError, "The answer is longer than allowed."),
    ),
    (
        theirs.UserError,
        partial(ModelUnavailableError, "The model cannot be asked in this form."),
    ),
)


def _label_of(stream: StreamedResponse) -> str:
    return urlsplit(stream.provider_url or "").netloc.rpartition("@")[2]


def _text_of(event: ModelResponseStreamEvent) -> str:
    if isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
        return event.delta.content_delta
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
        return event.part.content
    return ""


def _messages_of(turns: Sequence[PromptMessage]) -> list[ModelMessage]:
    messages: list[ModelMessage] = []
    for turn in turns:
        # Half of a surrogate pair, which JSON may escape, is no text for a client.
        text = turn.content.encode(errors="replace").decode()
        if turn.role == "assistant":
            messages.append(ModelResponse(parts=[TextPart(text)]))
        elif turn.role == "system":
            messages.append(ModelRequest(parts=[SystemPromptPart(text)]))
        else:
            messages.append(ModelRequest(parts=[UserPromptPart(text)]))
    return messages
