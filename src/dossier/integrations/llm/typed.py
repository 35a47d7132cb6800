"""Typed answers of a model, for work in the background (extra `ai`).

pydantic-ai writes the questions and checks the answers; where they go, what they
may cost and what happens when a server fails is the same as in the relay.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from dossier.integrations.llm import faults
from dossier.integrations.llm.catalogue import Catalogue
from dossier.integrations.llm.exceptions import ModelExtraMissingError
from dossier.integrations.llm.faults import AttemptFailedError
from dossier.integrations.llm.models import (
    CallTag,
    Purpose,
    Recorder,
    ServerAbilities,
)
from dossier.integrations.llm.plan import UNNAMED, ModelPlan, ModelServer
from dossier.integrations.llm.route import Breakers, Route
from dossier.integrations.llm.timing import SYSTEM_TIMING, Timing
from dossier.integrations.llm.transport import Transport

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model

T = TypeVar("T")
_MAX_REQUESTS = 8
_MISSING = "Typed answers need the extra: pip install 'dossier[ai]'."


@dataclass(frozen=True, slots=True)
class TypedOptions:
    """What a typed call may use up, and by whom it is answered."""

    purpose: Purpose = Purpose.STRONG
    max_requests: int = _MAX_REQUESTS
    max_output_tokens: int | None = None


_USUAL = TypedOptions()


class TypedModel:
    """Answers in types; one object serves a whole process.

    `abilities` is what a probe found: without it, a vendor's server is asked to fill
    a schema, any other to call a tool. `transport` is for tests.
    """

    def __init__(
        self,
        plan: ModelPlan,
        recorder: Recorder,
        abilities: ServerAbilities | None = None,
        *,
        timing: Timing = SYSTEM_TIMING,
        transport: "httpx2.AsyncBaseTransport | None" = None,
    ) -> None:
        self._plan = plan
        self._recorder = recorder
        self._abilities = abilities
        self._timing = timing
        self._transport = transport
        self._breakers = Breakers(plan.limits, timing)
        self._catalogue = Catalogue(plan)
        self._seats = asyncio.Semaphore(plan.limits.max_concurrent)
        self._http: httpx2.AsyncClient | None = None

    async def close(self) -> None:
        """Give the connections up."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def run(
        self,
        output_type: type[T],
        *,
        instructions: str,
        prompt: str,
        tag: CallTag,
        tools: Sequence[Callable[..., Any]] = (),
        options: TypedOptions = _USUAL,
    ) -> T:
        """Return an answer of a type; each request is a row of the ledger."""
        try:
            from dossier.integrations.llm import agents, lanes  # noqa: PLC0415 - 55 MiB
        except ImportError as error:
            raise ModelExtraMissingError(_MISSING) from error
        servers = self._plan.serving(options.purpose)
        if not servers:
            raise faults.no_server(options.purpose)
        question = agents.Question(
            output=lanes.output_of(
                output_type,
                servers[0],
                servers[0].models[options.purpose],
                self._abilities,
            ),
            instructions=instructions,
            prompt=prompt,
            tools=tools,
            max_requests=options.max_requests,
        )
        async with self._seats:
            models = await self._models(servers, tag, options)
            found: T = await agents.answer(models, question)
            return found

    async def _models(
        self, servers: Sequence[ModelServer], tag: CallTag, options: TypedOptions
    ) -> "list[Model]":
        """Return a model for each server, booked on one account."""
        from dossier.integrations.llm import booked_model, lanes  # noqa: PLC0415

        limits = self._plan.limits
        if self._http is None:
            self._http = lanes.open_http(limits, self._transport)
        max_tokens = options.max_output_tokens or limits.max_output_tokens
        patience_s = limits.first_token_timeout_s + limits.idle_timeout_s
        models: list[Model] = []
        for server in servers:
            name = await self._name(server, options.purpose)
            account = booked_model.Account(
                self._recorder, tag, max_tokens, patience_s, self._timing
            )
            model = lanes.lane(server, name, self._http, max_tokens)
            models.append(booked_model.BookedModel(model, account, self._route(server)))
        return models

    def _route(self, server: ModelServer) -> Callable[[], Route]:
        def route() -> Route:
            limits, timing = self._plan.limits, self._timing
            return Route((server,), self._breakers, limits, timing)

        return route

    async def _name(self, server: ModelServer, purpose: Purpose) -> str:
        """Return a model's name, asking the server where the settings name none."""
        if self._catalogue.known(server, purpose) != UNNAMED:
            return self._catalogue.known(server, purpose)
        transport = Transport.shared(self._plan.limits)
        try:
            return await self._catalogue.name(transport, server, purpose)
        except AttemptFailedError as failed:
            raise failed.error from failed
        finally:
            await transport.close()
