"""Where no budget counts a call, its row is written while the model is asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from io import StringIO
from uuid import UUID

import pytest
from tests.integrations.llm.harness import (
    QUESTION,
    TAG,
    WHOLE,
    RememberingLedger,
    failing,
    opened,
    serving,
    streaming,
)
from typing_extensions import override

from dossier.core.errors import PaymentRequiredError
from dossier.integrations.llm.client import ChatClient
from dossier.integrations.llm.models import CallTag, Outcome, TextDelta

SOON_S = 1.0
A_WHILE_S = 0.05


class UncountedLedger(RememberingLedger):
    """Says that no budget counts anything, and takes its time with each row."""

    def __init__(self, refusal: Exception | None = None) -> None:
        super().__init__()
        self.may_go = asyncio.Event()
        self._refusal = refusal

    @override
    def is_uncounted(self, _tag: CallTag, /) -> bool:
        return True

    @override
    async def reserve(
        self, tag: CallTag, model: str, tokens: int, /, *, goes_ahead: bool = False
    ) -> UUID:
        await self.may_go.wait()
        if self._refusal is not None:
            raise self._refusal
        return await super().reserve(tag, model, tokens, goes_ahead=goes_ahead)


async def heard(client: ChatClient, told: StringIO) -> None:
    async with aclosing(client.stream(QUESTION, TAG)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                told.write(event.text)


@asynccontextmanager
async def being_made(
    ledger: UncountedLedger, told: StringIO
) -> AsyncIterator[asyncio.Task[None]]:
    """Yield a call that the server has heard of, and whose row does not stand yet."""
    async with serving(streaming(WHOLE)) as server:
        client = opened(server.url, ledger)
        task = asyncio.create_task(heard(client, told))
        await asyncio.wait_for(server.asked.wait(), SOON_S)
        await asyncio.sleep(A_WHILE_S)
        yield task
        await client.close()


async def test_model_is_asked_at_once_and_nothing_told_before_the_row_stands() -> None:
    ledger, told = UncountedLedger(), StringIO()
    async with being_made(ledger, told) as task:
        told_before, rows_before = told.getvalue(), dict(ledger.reserved)
        ledger.may_go.set()
        await asyncio.wait_for(task, SOON_S)

    assert (told_before, rows_before) == ("", {})
    assert told.getvalue() == "水和油"
    [row] = ledger.rows
    assert row.outcome is Outcome.COMPLETED


async def test_call_that_a_new_budget_refuses_tells_nothing() -> None:
    ledger, told = UncountedLedger(PaymentRequiredError()), StringIO()
    async with being_made(ledger, told) as task:
        ledger.may_go.set()
        with pytest.raises(PaymentRequiredError):
            await asyncio.wait_for(task, SOON_S)

    assert told.getvalue() == ""
    assert ledger.rows == []


async def test_refusal_goes_before_a_failure_that_might_be_tried_again() -> None:
    ledger, told = UncountedLedger(PaymentRequiredError()), StringIO()
    ledger.may_go.set()
    async with serving(failing(500), streaming(WHOLE)) as server:
        client = opened(server.url, ledger)
        with pytest.raises(PaymentRequiredError):
            await asyncio.wait_for(heard(client, told), SOON_S)
        await client.close()

    assert (len(server.requests), told.getvalue()) == (1, "")


async def test_call_that_is_cancelled_before_its_row_stands_is_settled_after() -> None:
    ledger, told = UncountedLedger(), StringIO()
    async with being_made(ledger, told) as task:
        task.cancel()
        ledger.may_go.set()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, SOON_S)

    assert told.getvalue() == ""
    [row] = ledger.rows
    assert row.outcome is Outcome.CANCELLED
