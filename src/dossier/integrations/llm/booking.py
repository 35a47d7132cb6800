"""The ledger's side of a call: booked before the network, settled whatever happens."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from dossier.integrations.llm.faults import AttemptFailedError
from dossier.integrations.llm.models import (
    CallRecord,
    CallTag,
    Outcome,
    Recorder,
    Usage,
)
from dossier.integrations.llm.plan import ModelServer
from dossier.integrations.llm.timing import Timing
from dossier.integrations.llm.tokens import estimate_tokens

_log = logging.getLogger(__name__)
_settling: set[asyncio.Task[None]] = set()


class Booking:
    """What one attempt has come to so far; cancelled, until it is told otherwise."""

    def __init__(
        self, server: ModelServer, model: str, timing: Timing, input_tokens: int
    ) -> None:
        self._server = server
        self._timing = timing
        self._input_tokens = input_tokens
        self._started_at_s = timing.monotonic()
        self._first_token_ms: int | None = None
        self._usage = Usage()
        self._written: Sequence[str] = ()
        self._outcome = Outcome.CANCELLED
        self._error_code: str | None = None
        self.model = model

    def begin(self) -> None:
        """Note the first token."""
        self._first_token_ms = self._elapsed_ms()

    def note(self, usage: Usage, written: Sequence[str] = ()) -> None:
        """Keep what the server counted, and what it wrote where it did not count."""
        self._usage, self._written = usage, written

    def finish(self, reason: str = "stop") -> None:
        """Note that the answer is whole."""
        is_refusal = reason == "refusal"
        self._outcome = Outcome.REFUSED if is_refusal else Outcome.COMPLETED

    def fail(self, failed: AttemptFailedError) -> None:
        """Note what went wrong."""
        self._outcome, self._error_code = failed.outcome, failed.code
        if failed.handling.is_free and not self._written:
            self._input_tokens = 0

    def was_never_asked(self) -> None:
        """Note that the server has not heard of the call."""
        self._input_tokens = 0

    def record(self) -> CallRecord:
        """Return the row of the ledger; what the server did not count is estimated."""
        usage = self._filled()
        return CallRecord(
            provider=self._server.wire,
            server=self._server.label,
            model=self.model,
            usage=usage,
            duration_ms=self._elapsed_ms(),
            first_token_ms=self._first_token_ms,
            outcome=self._outcome,
            error_code=self._error_code,
            is_estimated=usage != self._usage,
        )

    def _filled(self) -> Usage:
        read, written = self._usage.input_tokens, self._usage.output_tokens
        if read is None:
            read = self._input_tokens
        if written is None:
            written = estimate_tokens("".join(self._written))
        return Usage(read, written, self._usage.cached_tokens)

    def _elapsed_ms(self) -> int:
        return round((self._timing.monotonic() - self._started_at_s) * 1000)


@asynccontextmanager
async def booked(
    recorder: Recorder, tag: CallTag, tokens: int, booking: Booking
) -> AsyncIterator[Booking]:
    """Set tokens aside, and settle them at the end, even when all is cancelled."""
    reservation = await _reserved(recorder, tag, tokens, booking)
    try:
        yield booking
    except AttemptFailedError as failed:
        booking.fail(failed)
        raise
    finally:
        # A task of its own: a second cancel must not leave tokens set aside.
        await asyncio.wait({_settled(recorder, reservation, booking)})


async def _reserved(
    recorder: Recorder, tag: CallTag, tokens: int, booking: Booking
) -> UUID:
    """Set tokens aside; what is cancelled meanwhile is given back, unasked."""
    task = asyncio.ensure_future(recorder.reserve(tag, booking.model, tokens))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        booking.was_never_asked()

        def give_back(done: asyncio.Future[UUID]) -> None:
            if not done.cancelled() and done.exception() is None:
                _settled(recorder, done.result(), booking)

        task.add_done_callback(give_back)
        raise


def _settled(
    recorder: Recorder, reservation: UUID, booking: Booking
) -> asyncio.Task[None]:
    task = asyncio.create_task(recorder.settle(reservation, booking.record()))
    _settling.add(task)
    task.add_done_callback(_told)
    return task


def _told(task: asyncio.Task[None]) -> None:
    """Log a ledger that failed: an answer that is there is not lost for it."""
    _settling.discard(task)
    if not task.cancelled() and task.exception() is not None:
        _log.error("a call was not settled", exc_info=task.exception())
