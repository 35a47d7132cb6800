"""The relay of the web process: tokens from a model server as they come."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from dossier.integrations.llm import faults
from dossier.integrations.llm.booking import Booking, booked
from dossier.integrations.llm.catalogue import Catalogue
from dossier.integrations.llm.embeddings import open_embedder
from dossier.integrations.llm.faults import AttemptFailedError
from dossier.integrations.llm.models import (
    CallTag,
    ChatRequest,
    Completion,
    Purpose,
    Recorder,
    StreamEvent,
    TextDelta,
)
from dossier.integrations.llm.plan import ModelPlan, ModelServer
from dossier.integrations.llm.relay import Relay
from dossier.integrations.llm.route import Breakers, Route
from dossier.integrations.llm.timing import SYSTEM_TIMING, Timing
from dossier.integrations.llm.tokens import estimate_messages
from dossier.integrations.llm.transport import Transport, drain
from dossier.integrations.llm.wires import wire_of

__all__ = ["ChatClient", "open_chat_model", "open_embedder"]

_CHARACTERS_PER_TOKEN = 16
"""More than any model makes of its tokens, over a whole answer."""
_LEAST_CHARACTERS = 4_096


class ChatClient:
    """Goes on with conversations; one object serves a whole process."""

    def __init__(
        self, plan: ModelPlan, recorder: Recorder, timing: Timing = SYSTEM_TIMING
    ) -> None:
        self._plan = plan
        self._recorder = recorder
        self._timing = timing
        self._breakers = Breakers(plan.limits, timing)
        self._catalogue = Catalogue(plan)
        self._opened: Transport | None = None

    def model_name(self, purpose: Purpose) -> str:
        """Return the model that a purpose is served by first."""
        return self._catalogue.known(self._serving(purpose)[0], purpose)

    async def find_name(self, purpose: Purpose) -> str:
        """Return the same, asking its server once where the settings name none."""
        server = self._serving(purpose)[0]
        try:
            return await self._catalogue.name(self._transport(), server, purpose)
        except AttemptFailedError:
            return self.model_name(purpose)  # the call itself will say what is wrong

    def server_label(self, purpose: Purpose) -> str:
        """Return host and port of the server that a purpose is served by first."""
        return self._serving(purpose)[0].label

    async def close(self) -> None:
        """Give the connections up."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.close()

    async def complete(self, request: ChatRequest, tag: CallTag) -> Completion:
        """Return the whole answer."""
        texts: list[str] = []
        async for event in self.stream(request, tag):
            if isinstance(event, TextDelta):
                texts.append(event.text)
            else:
                return Completion(
                    "".join(texts), event.model, event.usage, event.finish_reason
                )
        raise AssertionError  # a stream ends with its end, or raises

    async def stream(
        self, request: ChatRequest, tag: CallTag
    ) -> AsyncGenerator[StreamEvent]:
        """Yield the answer piece by piece; closing the iterator stops the model."""
        limits = self._plan.limits
        servers = self._serving(request.purpose)
        route = Route(servers, self._breakers, limits, self._timing)
        async with self._transport().seat(limits.first_token_timeout_s):
            call = _Call(request, tag, limits.max_output_tokens)
            try:
                while not route.is_done:
                    server = await route.next()
                    try:
                        async with aclosing(self._ask(server, call, route)) as events:
                            async for event in events:
                                yield event
                    except AttemptFailedError as failed:
                        route.fail(failed)
            except AttemptFailedError as failed:
                raise failed.error from failed
            finally:
                route.leave()

    def _serving(self, purpose: Purpose) -> tuple[ModelServer, ...]:
        servers = self._plan.serving(purpose)
        if not servers:
            raise faults.no_server(purpose)
        return servers

    def _transport(self) -> Transport:
        if self._opened is None:
            self._opened = Transport.shared(self._plan.limits)
        return self._opened

    async def _ask(
        self, server: ModelServer, call: "_Call", route: Route
    ) -> AsyncGenerator[StreamEvent]:
        """Make one attempt at one server."""
        known = self._catalogue.known(server, call.request.purpose)
        booking = Booking(server, known, self._timing, call.input_tokens)
        async with booked(self._recorder, call.tag, call.most_tokens, booking):
            async with self._relay(server, call, booking) as relay:
                while (texts := await relay.read()) is not None:
                    if texts and not route.has_begun:
                        await booking.stands()
                        route.has_begun = True
                        booking.begin()
                    for text in texts:
                        yield TextDelta(text)
            end = relay.end(booking.model, server.label)
            booking.finish(end.finish_reason)
        route.succeed()
        yield end

    @asynccontextmanager
    async def _relay(
        self, server: ModelServer, call: "_Call", booking: Booking
    ) -> AsyncIterator[Relay]:
        """Open one stream; what it told of its costs is kept, however it ends."""
        transport, limits = self._transport(), self._plan.limits
        started_at_s = asyncio.get_running_loop().time()
        purpose = call.request.purpose
        booking.model = await self._catalogue.name(transport, server, purpose)
        wire = wire_of(server)
        body = wire.body(server, booking.model, call.request, call.max_output_tokens)
        async with transport.request(
            server, wire.chat_path(), wire.headers(server), body, limits
        ) as response:
            with transport.gathering.joined(response) as rest:
                relay = Relay(
                    server.label,
                    response,
                    wire.reader(),
                    rest,
                    limits=limits,
                    started_at_s=started_at_s,
                    max_characters=call.max_characters,
                )
                try:
                    yield relay
                    rest.end()
                    if not relay.is_stopped:
                        await drain(response)
                finally:
                    relay.close()
                    booking.note(relay.usage, relay.written)


class _Call:
    """One question, and how many tokens it may cost at most."""

    def __init__(self, request: ChatRequest, tag: CallTag, longest: int) -> None:
        self.request = request
        self.tag = tag
        self.input_tokens = estimate_messages(request.messages)
        self.max_output_tokens = request.max_output_tokens or longest
        self.max_characters = max(
            _LEAST_CHARACTERS, self.max_output_tokens * _CHARACTERS_PER_TOKEN
        )
        self.most_tokens = self.input_tokens + self.max_output_tokens


def open_chat_model(
    plan: ModelPlan, recorder: Recorder, timing: Timing = SYSTEM_TIMING
) -> ChatClient:
    """Return the client of a process, to be closed at its end."""
    return ChatClient(plan, recorder, timing)
