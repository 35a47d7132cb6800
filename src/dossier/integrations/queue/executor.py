"""Runs our handler where the engine would run its own."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from pgqueuer.core.executors import (
    AbstractEntrypointExecutor,
    EntrypointExecutorParameters,
)
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Context, Job
from typing_extensions import override

from dossier.integrations.queue.delivery import Delivery, Handler

OnSuperseded = Callable[[int], Awaitable[None]]


@dataclass
class HandlerExecutor(AbstractEntrypointExecutor):
    """Hands a claimed row to the handler and turns its answer into the engine's.

    Attempts are counted in the job's own row: the engine only carries.
    """

    handler: Handler
    on_superseded: OnSuperseded

    @override
    async def execute(self, job: Job, context: Context) -> None:
        delivery = Delivery.of(job.id, job.payload, context.cancellation)
        try:
            outcome = await self.handler(delivery)
        except asyncio.CancelledError as exc:
            # The loop itself is ending: the engine would forget a cancelled row.
            raise RetryRequested(reason="the worker ended") from exc
        if outcome.is_superseded:
            await self.on_superseded(job.id)
        if outcome.again_in_s is not None:
            raise RetryRequested(delay=timedelta(seconds=outcome.again_in_s))


def executor_factory(
    handler: Handler, on_superseded: OnSuperseded
) -> Callable[[EntrypointExecutorParameters], HandlerExecutor]:
    """Return what the engine calls to make the executor of one kind of job."""

    def make(parameters: EntrypointExecutorParameters) -> HandlerExecutor:
        return HandlerExecutor(parameters, handler, on_superseded)

    return make
