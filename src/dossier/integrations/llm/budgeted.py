"""Every call of a model: its budget is reserved before, the ledger settled after.

`BudgetedModel` and `BudgetedEmbeddingModel` wrap the models of one server. No database
transaction is open while the network is used. Each candidate of a fallback is a call of
its own; the retries that the vendor's client makes belong to their call.
"""

import asyncio
import json
import logging
import math
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import anyio
from pydantic_ai.embeddings import EmbeddingResult, EmbeddingSettings
from pydantic_ai.embeddings.result import EmbedInputType
from pydantic_ai.embeddings.wrapper import WrapperEmbeddingModel
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import ModelRequestParameters, StreamedResponse
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from typing_extensions import override

from dossier.integrations.llm import failures
from dossier.integrations.llm.failures import CallFailedError
from dossier.integrations.llm.server import ServerClient
from dossier.integrations.llm.types import (
    CallOutcome,
    CallRecord,
    CallTag,
    Purpose,
    Recorder,
    Usage,
)
from dossier.integrations.llm.usage import TOKENS_PER_MESSAGE, estimate_tokens, usage_of

_log = logging.getLogger(__name__)
_settling: set[asyncio.Task[None]] = set()
MAX_VECTOR_LENGTH = 16_000  # pgvector stores no longer `vector`
_ALMOST = 0.99
"""pydantic-ai's clock begins a little before ours."""
_UNFIT = "what are not as many equal vectors of finite numbers"
_tag: ContextVar[CallTag] = ContextVar("call_tag")


@contextmanager
def paid_by(tag: CallTag) -> Iterator[None]:
    """Put the calls that begin inside the block on an account."""
    token = _tag.set(tag)
    try:
        yield
    finally:
        _tag.reset(token)


class BudgetedCall:
    """One call under way; it counts as cancelled until it ends otherwise."""

    def __init__(self, client: ServerClient, model: str, input_tokens: int) -> None:
        self.model = model
        self.usage = Usage()
        self.written = ""
        self.outcome = CallOutcome.CANCELLED
        self.error_code: str | None = None
        self.first_token_ms: int | None = None
        self.content: Callable[[], tuple[str, str]] | None = None
        self.input_tokens = input_tokens
        self.began_at_s = time.perf_counter()
        self._client = client

    def fail(self, failed: CallFailedError) -> None:
        """Note a failure."""
        self.outcome, self.error_code = failed.outcome, failed.code
        if failed.is_free and not self.written:
            self.input_tokens = 0
        if failed.blames_server:
            self._client.breaker.fail()
        else:
            self._client.breaker.succeed()

    def record(self) -> CallRecord:
        """Return the row of the ledger; what the server did not count is estimated."""
        reported = self.usage
        read, wrote = reported.input_tokens, reported.output_tokens
        if read is None:
            read = self.input_tokens
        if wrote is None:
            wrote = estimate_tokens(self.written)
        usage = Usage(read, wrote, reported.cached_tokens)
        return CallRecord(
            provider=self._client.server.wire,
            server=self._client.server.label,
            model=self.model,
            usage=usage,
            duration_ms=round((time.perf_counter() - self.began_at_s) * 1000),
            first_token_ms=self.first_token_ms,
            outcome=self.outcome,
            error_code=self.error_code,
            is_estimated=usage != reported,
            content=self.content,
        )


@asynccontextmanager
async def budgeted(
    client: ServerClient,
    recorder: Recorder,
    model: str,
    *,
    input_tokens: int,
    max_output_tokens: int = 0,
) -> AsyncGenerator[BudgetedCall]:
    """Reserve a budget for a call inside the block, and settle it at the end.

    Raises `CallFailedError` for each failure of the server.
    """
    label, breaker = client.server.label, client.breaker
    if not breaker.admit():
        raise failures.breaker_open(label, breaker.wait_s())
    call = BudgetedCall(client, model, input_tokens)
    try:
        reservation = await _reserved(
            recorder, call, _tag.get(), input_tokens + max_output_tokens
        )
        call.began_at_s = time.perf_counter()
        try:
            yield call
        except Exception as error:  # noqa: BLE001 - servers break clients in any way
            has_begun = call.first_token_ms is not None
            failed = failures.failure_of(label, error, has_begun=has_begun)
            call.fail(failed)
            raise failed from None
        finally:
            # Workers cancel by scopes of anyio, which would end each wait here at once.
            with anyio.CancelScope(shield=True):
                await asyncio.wait({_settled(recorder, reservation, call)})
    except CallFailedError:
        raise
    except BaseException:  # refused by a budget, or cancelled: no sign of the server
        breaker.abandon()
        raise
    breaker.succeed()


async def _reserved(
    recorder: Recorder, call: BudgetedCall, tag: CallTag, tokens: int
) -> UUID:
    """Reserve; a reservation that a cancelled caller left behind is given back."""
    reserving = asyncio.ensure_future(recorder.reserve(tag, call.model, tokens))

    def give_back(done: asyncio.Future[UUID]) -> None:
        if not done.cancelled() and done.exception() is None:
            call.input_tokens = 0
            _settled(recorder, done.result(), call)

    try:
        return await asyncio.shield(reserving)
    except asyncio.CancelledError:
        reserving.add_done_callback(give_back)
        raise


def _settled(
    recorder: Recorder, reservation: UUID, call: BudgetedCall
) -> asyncio.Task[None]:
    """Settle in a task of its own: a second cancel must not leave tokens reserved."""
    task = asyncio.create_task(recorder.settle(reservation, call.record()))
    _settling.add(task)
    task.add_done_callback(_log_unsettled)
    return task


def _log_unsettled(task: asyncio.Task[None]) -> None:
    """Log a ledger that failed: an answer that is there is not lost for it."""
    _settling.discard(task)
    if not task.cancelled() and task.exception() is not None:
        _log.error("llm.call.unsettled", exc_info=task.exception())


class BudgetedModel(WrapperModel):
    """One server's chat model for one purpose."""

    def __init__(
        self, client: ServerClient, purpose: Purpose, recorder: Recorder
    ) -> None:
        super().__init__(client.chat_model(client.known_name(purpose)))
        self._client = client
        self._purpose = purpose
        self._recorder = recorder

    @override
    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Return a whole answer."""
        limits = self._client.limits
        limit_s = limits.first_token_timeout_s + limits.idle_timeout_s
        async with self._call(messages, model_settings, model_request_parameters) as (
            call,
            settings,
        ):
            try:
                async with asyncio.timeout(limit_s):
                    response = await self.wrapped.request(
                        messages, settings, model_request_parameters
                    )
            except TimeoutError as error:
                label = self._client.server.label
                raise failures.silent(label, limit_s, has_begun=False) from error
            self._note(call, messages, response)
            self._end(call, response)
        return response

    @override
    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: Any = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """Stream an answer; its reader enforces the limit between two tokens."""
        limit_s = self._client.limits.first_token_timeout_s
        label, opened_at_s = self._client.server.label, time.perf_counter()
        async with self._call(messages, model_settings, model_request_parameters) as (
            call,
            settings,
        ):
            stream: StreamedResponse | None = None
            try:
                async with self.wrapped.request_stream(
                    messages, settings, model_request_parameters, run_context
                ) as stream:
                    yield stream
            except asyncio.CancelledError:
                # pydantic-ai cancels what is silent for longer than the limit.
                waited_s = time.perf_counter() - opened_at_s
                is_late = waited_s >= limit_s * _ALMOST
                if is_late and (stream is None or not _first_token(stream, call)):
                    call.fail(failures.silent(label, limit_s, has_begun=False))
                raise
            finally:
                if stream is not None:
                    call.first_token_ms = _first_token(stream, call)
                    self._note(call, messages, stream.get())
            if stream.cancelled:  # longer than allowed: it was ended by us
                call.usage, call.outcome = Usage(), CallOutcome.COMPLETED
            elif stream.get().state == "complete":
                self._end(call, stream.get())

    @asynccontextmanager
    async def _call(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        parameters: ModelRequestParameters,
    ) -> AsyncGenerator[tuple[BudgetedCall, ModelSettings]]:
        """Begin a call of the model that the settings, or else the server, name."""
        client = self._client
        settings = client.adapted(messages, model_settings)
        async with budgeted(
            client,
            self._recorder,
            client.known_name(self._purpose),
            input_tokens=_estimated(messages, parameters),
            max_output_tokens=settings.get(
                "max_tokens", client.limits.max_output_tokens
            ),
        ) as call:
            call.model = name = await client.find_name(self._purpose)
            if name != self.wrapped.model_name:
                self.wrapped = client.chat_model(name)
            yield call, settings

    def _note(
        self, call: BudgetedCall, messages: list[ModelMessage], response: ModelResponse
    ) -> None:
        """Keep what has been received of a response, whole or not."""
        contents = (getattr(part, "content", None) for part in response.parts)
        call.written = "".join(text for text in contents if isinstance(text, str))
        if not call.written and response.parts:
            call.written = "".join(map(str, response.parts))
        call.usage = usage_of(
            response.usage, is_whole=response.finish_reason is not None
        )
        call.content = lambda: (_otel_json(messages), _otel_json([response]))

    def _end(self, call: BudgetedCall, response: ModelResponse) -> None:
        """Accept the end that a response names, or refuse it."""
        if response.finish_reason in {None, "error"}:
            raise failures.cut(self._client.server.label, "finish_unknown")
        is_refusal = response.finish_reason == "content_filter"
        call.outcome = CallOutcome.REFUSED if is_refusal else CallOutcome.COMPLETED


class BudgetedEmbeddingModel(WrapperEmbeddingModel):
    """One server's embedding model."""

    def __init__(self, client: ServerClient, recorder: Recorder) -> None:
        super().__init__(client.embedding_model())
        self._client = client
        self._recorder = recorder

    @override
    async def embed(
        self,
        inputs: str | Sequence[str],
        *,
        input_type: EmbedInputType,
        settings: EmbeddingSettings | None = None,
    ) -> EmbeddingResult:
        """Return one vector for each text."""
        texts = [inputs] if isinstance(inputs, str) else inputs
        label, limits = self._client.server.label, self._client.limits
        async with budgeted(
            self._client,
            self._recorder,
            self.model_name,
            input_tokens=sum(map(estimate_tokens, texts)),
        ) as call:
            try:
                async with asyncio.timeout(limits.first_token_timeout_s):
                    result = await self.wrapped.embed(
                        texts, input_type=input_type, settings=settings
                    )
            except TimeoutError as error:
                limit_s = limits.first_token_timeout_s
                raise failures.silent(label, limit_s, has_begun=False) from error
            call.usage = Usage(usage_of(result.usage).input_tokens, 0)
            if not _are_sound(result.embeddings, len(texts)):
                raise failures.malformed(label, _UNFIT)
            call.outcome = CallOutcome.COMPLETED
        return result


def _first_token(stream: StreamedResponse, call: BudgetedCall) -> int | None:
    after_s = stream.time_to_first_chunk(call.began_at_s)
    return None if after_s is None else round(after_s * 1000)


def _estimated(
    messages: Iterable[ModelMessage], parameters: ModelRequestParameters
) -> int:
    """Return about how many tokens a request has, its tools included."""
    texts = [str(getattr(part, "content", part)) for m in messages for part in m.parts]
    texts += [part.content for part in parameters.instruction_parts or ()]
    tokens = sum(TOKENS_PER_MESSAGE + estimate_tokens(text) for text in texts)
    forms = [*parameters.function_tools, *parameters.output_tools]
    described = [*map(str, forms), str(parameters.output_object or "")]
    return tokens + sum(map(estimate_tokens, described))


def _otel_json(messages: list[ModelMessage]) -> str:
    turns = InstrumentationSettings().messages_to_otel_messages(messages)
    return json.dumps(turns, ensure_ascii=False)


def _are_sound(vectors: Sequence[Sequence[float]], count: int) -> bool:
    """Return whether these are so many equally long vectors of finite numbers."""
    lengths = {len(vector) for vector in vectors}
    if len(vectors) != count or len(lengths) != 1:
        return False
    if not 0 < lengths.pop() <= MAX_VECTOR_LENGTH:
        return False
    with suppress(TypeError):
        return all(math.isfinite(number) for vector in vectors for number in vector)
    return False
