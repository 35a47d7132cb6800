"""A job that the engine delivers, and what it does with its row afterwards."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self
from uuid import UUID

import anyio
import orjson


@dataclass(frozen=True, slots=True)
class Delivery:
    """One job given to one worker, once."""

    engine_id: int
    org_id: UUID
    job_id: UUID
    scope: anyio.CancelScope
    """Cancelled when a person asks the running job to stop."""

    @classmethod
    def of(
        cls, engine_id: int, payload: bytes | None, scope: anyio.CancelScope
    ) -> Self:
        """Read the engine's payload."""
        ids = orjson.loads(payload or b"{}")
        return cls(
            engine_id=engine_id,
            org_id=UUID(ids["org_id"]),
            job_id=UUID(ids["job_id"]),
            scope=scope,
        )


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """What the engine does with its row after an attempt."""

    again_in_s: float | None = None
    is_superseded: bool = False

    @classmethod
    def finished(cls) -> Self:
        """The job has ended, well or not: the engine deletes its row."""
        return cls()

    @classmethod
    def again(cls, delay_s: float) -> Self:
        """The job is to be delivered once more."""
        return cls(again_in_s=delay_s)

    @classmethod
    def superseded(cls) -> Self:
        """Another attempt has the job: the engine's row is not ours."""
        return cls(is_superseded=True)


DeliveryHandler = Callable[[Delivery], Awaitable[DeliveryOutcome]]
