"""The ledger's side of a call: booked before the network, settled whatever happens."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
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
        self._reserving: asyncio.Future[UUID] | None = None
        self.model = model

    def reserve(
        self, recorder: Recorder, tag: CallTag, tokens: int, *, is_urgent: bool
    ) -> None:
        """Begin to set tokens aside."""

        async def reserve() -> UUID:
            if not is_urgent:  # the call itself goes first, and who waits for it
                await asyncio.sleep(0)
            return await recorder.reserve(
                tag, self.model, tokens, goes_ahead=not is_urgent
            )

        self._reserving = asyncio.ensure_future(reserve())

    async def stands(self) -> UUID:
        """Wait for the call's row, or raise what speaks against the call."""
        assert self._reserving is not None  # noqa: S101 - `booked` has begun with it
        return await asyncio.shield(self._reserving)

    def when_it_stands(self, act: Callable[[UUID], object]) -> None:
        """Do something with the row once it is there, whoever has gone meanwhile."""

        def told(done: asyncio.Future[UUID]) -> None:
            if not done.cancelled() and done.exception() is None:
                act(done.result())

        assert self._reserving is not None  # noqa: S101 - as above
        self._reserving.add_done_callback(told)

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
    """Set tokens aside, and settle them at the end, even when all is cancelled.

    Where no budget counts the call, it need not wait: its row is written meanwhile, and
    stands before anything of the answer is told.
    """
    is_counted = not recorder.is_uncounted(tag)
    booking.reserve(recorder, tag, tokens, is_urgent=is_counted)
    if is_counted:
        await _reserved(recorder, booking)
    try:
        yield booking
        await booking.stands()
    except AttemptFailedError as failed:
        booking.fail(failed)
        await booking.stands()  # a budget's refusal is no reason to ask again
        raise
    finally:
        # A task of its own: a second cancel must not leave tokens set aside.
        await asyncio.wait({asyncio.create_task(_settle(recorder, booking))})


async def _reserved(recorder: Recorder, booking: Booking) -> None:
    """Set tokens aside; what is cancelled meanwhile is given back, unasked."""
    try:
        await booking.stands()
    except asyncio.CancelledError:
        booking.was_never_asked()
        booking.when_it_stands(lambda row: _settled(recorder, row, booking))
        raise


async def _settle(recorder: Recorder, booking: Booking) -> None:
    """Settle a call whose row stands; without one, whoever asked was told why."""
    try:
        reservation = await booking.stands()
    except Exception as error:  # noqa: BLE001 - the caller's error is the one to tell
        _log.warning("a call has no row", exc_info=error)
        return
    await asyncio.wait({_settled(recorder, reservation, booking)})


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
