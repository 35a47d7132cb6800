"""A model of pydantic-ai whose every request is booked, retried and timed as ours.

This module imports pydantic-ai; import it where it is used.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx2
import orjson
from pydantic_ai import exceptions as theirs
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from typing_extensions import override

from dossier.integrations.llm import faults
from dossier.integrations.llm.backoff import bounded_s
from dossier.integrations.llm.booking import Booking, booked
from dossier.integrations.llm.claims import counted
from dossier.integrations.llm.faults import AttemptFailedError
from dossier.integrations.llm.models import CallTag, Recorder, Usage
from dossier.integrations.llm.plan import ModelServer
from dossier.integrations.llm.route import Route, routed
from dossier.integrations.llm.timing import Timing
from dossier.integrations.llm.tokens import estimate_tokens


@dataclass(frozen=True, slots=True)
class Account:
    """On whose account a model is asked, and how much one answer may take."""

    recorder: Recorder
    tag: CallTag
    max_output_tokens: int
    patience_s: float
    """For a whole answer, which comes without streaming."""
    timing: Timing


class BookedModel(WrapperModel):
    """One server's model, on one account; a whole answer at a time."""

    def __init__(
        self, wrapped: Model, account: Account, route: Callable[[], Route]
    ) -> None:
        super().__init__(wrapped)
        self._account = account
        self._route = route

    @override
    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Ask, again where that may help; each attempt is a row of the ledger."""
        tokens = _estimated(messages, model_request_parameters)
        send = partial(
            self.wrapped.request, messages, model_settings, model_request_parameters
        )
        return await routed(self._route(), partial(self._ask, send, tokens))

    async def _ask(
        self,
        send: Callable[[], Awaitable[ModelResponse]],
        tokens: int,
        server: ModelServer,
    ) -> ModelResponse:
        account = self._account
        booking = Booking(server, self.model_name, account.timing, tokens)
        most_tokens = tokens + account.max_output_tokens
        async with booked(account.recorder, account.tag, most_tokens, booking):
            try:
                async with asyncio.timeout(account.patience_s):
                    response = await send()
            except TimeoutError as error:
                patience_s = account.patience_s
                raise faults.silent(
                    server.label, patience_s, has_begun=False
                ) from error
            except (theirs.AgentRunError, httpx2.HTTPError, ValueError) as error:
                # Not from `error`: its text repeats what the server was sent.
                raise failure_of(server.label, error) from None
            booking.note(_usage(response))
            is_refusal = response.finish_reason == "content_filter"
            booking.finish("refusal" if is_refusal else "stop")
            return response


def failure_of(label: str, error: Exception) -> AttemptFailedError:
    """Give a failure of the library the name that it has in the relay."""
    if isinstance(error, theirs.ModelHTTPError):
        body = orjson.dumps({"error": error.body}, default=str)
        wait_s = bounded_s(error.retry_after)
        return faults.rejected(label, error.status_code, body, wait_s)
    if isinstance(error, theirs.ModelConnectionError):
        return _of_the_connection(label, error)
    return faults.malformed(label, "what its wire does not know")


def _of_the_connection(
    label: str, error: theirs.ModelConnectionError
) -> AttemptFailedError:
    if error.phase in {"connect", "pool"}:
        return faults.unreachable(label, "no connection")
    if isinstance(error, theirs.ModelTimeoutError):
        return faults.silent(label, None, has_begun=False)
    return faults.cut(label, has_begun=False)


def _usage(response: ModelResponse) -> Usage:
    told = vars(response.usage)
    read, wrote = counted(told, "input_tokens"), counted(told, "output_tokens")
    if wrote is None or not (read or wrote):
        written = "".join(str(part) for part in response.parts)
        return Usage(output_tokens=estimate_tokens(written))
    return Usage(read, wrote, counted(told, "cache_read_tokens"))


def _estimated(messages: list[ModelMessage], parameters: Any) -> int:
    told = ModelMessagesTypeAdapter.dump_json(messages).decode()
    tools = [*parameters.function_tools, *parameters.output_tools]
    return estimate_tokens(told) + estimate_tokens(str(tools) if tools else "")
