"""Who stops reading stops the model, at once, and pays for what was written."""

import asyncio
from contextlib import aclosing
from uuid import UUID

import anyio
import pytest
from tests.integrations.llm.harness import (
    QUESTION,
    TAG,
    WHOLE,
    RememberingLedger,
    chunk,
    opened,
    serving,
    silent_after,
    sse,
    streaming,
)
from typing_extensions import override

from dossier.integrations.llm.client import ChatClient
from dossier.integrations.llm.exceptions import ModelUnavailableError
from dossier.integrations.llm.types import CallOutcome, CallTag, Completed

SOON_S = 1.0  # what the product promises


async def first_piece(client: ChatClient, read: asyncio.Event) -> None:
    async for _event in client.stream(QUESTION, TAG):
        read.set()


async def test_closing_the_iterator_ends_the_call() -> None:
    ledger = RememberingLedger()
    async with serving(silent_after(sse(chunk("水")))) as server:
        client = opened(server.url, ledger)
        async with aclosing(client.stream(QUESTION, TAG)) as events:
            async for _event in events:
                break
        await asyncio.wait_for(server.disconnected.wait(), SOON_S)
        await client.close()

    [row] = ledger.rows
    assert row.outcome is CallOutcome.CANCELLED
    assert (row.usage.input_tokens, row.usage.output_tokens) == (21, 1)


@pytest.mark.parametrize("said", [(), (sse(chunk("水")),)])
async def test_cancelling_the_task_ends_the_call(said: tuple[bytes, ...]) -> None:
    ledger, read = RememberingLedger(), asyncio.Event()
    async with serving(silent_after(*said)) as server:
        client = opened(server.url, ledger)
        task = asyncio.create_task(first_piece(client, read))
        await asyncio.wait_for((read if said else server.asked).wait(), SOON_S)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.disconnected.wait(), SOON_S)
        await client.close()

    assert [row.outcome for row in ledger.rows] == [CallOutcome.CANCELLED]


async def test_cancelling_twice_still_settles() -> None:
    ledger = RememberingLedger()
    async with serving(silent_after(sse(chunk("水")))) as server:
        client = opened(server.url, ledger)
        read = asyncio.Event()
        task = asyncio.create_task(first_piece(client, read))
        await asyncio.wait_for(read.wait(), SOON_S)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.01)
        await client.close()

    assert [row.outcome for row in ledger.rows] == [CallOutcome.CANCELLED]


async def test_who_leaves_after_the_end_has_a_whole_answer() -> None:
    ledger = RememberingLedger()
    async with serving(streaming(WHOLE)) as server:
        client = opened(server.url, ledger)
        async with aclosing(client.stream(QUESTION, TAG)) as events:
            async for event in events:
                if isinstance(event, Completed):
                    break
        await client.close()

    assert [row.outcome for row in ledger.rows] == [CallOutcome.COMPLETED]


async def test_calls_wait_for_a_slot_and_not_for_ever() -> None:
    ledger, read = RememberingLedger(), asyncio.Event()
    async with serving(silent_after(sse(chunk("水")))) as server:
        client = opened(server.url, ledger, max_concurrent=1, first_token_timeout_s=0.3)
        task = asyncio.create_task(first_piece(client, read))
        await asyncio.wait_for(read.wait(), SOON_S)
        with pytest.raises(ModelUnavailableError, match="MAX_CONCURRENT"):
            await client.complete(QUESTION, TAG)
        task.cancel()
        await asyncio.wait({task})
        await client.close()

    assert len(server.requests) == 1


class SlowLedger(RememberingLedger):
    """A ledger whose database takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may_go = asyncio.Event(), asyncio.Event()

    @override
    async def reserve(self, tag: CallTag, model: str, tokens: int, /) -> UUID:
        self.asked.set()
        await self.may_go.wait()
        return await super().reserve(tag, model, tokens)


async def test_what_was_set_aside_for_a_cancelled_call_is_given_back() -> None:
    ledger = SlowLedger()
    async with serving(streaming(WHOLE)) as server:
        client = opened(server.url, ledger)
        task = asyncio.create_task(first_piece(client, asyncio.Event()))
        await ledger.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ledger.may_go.set()
        async with asyncio.timeout(SOON_S):
            while not ledger.settled:  # noqa: ASYNC110 - it happens beside us
                await asyncio.sleep(0)
        await client.close()

    [row] = ledger.rows
    assert row.outcome is CallOutcome.CANCELLED
    assert (row.usage.input_tokens, row.usage.output_tokens) == (0, 0)
    assert server.requests == []


async def test_call_in_a_cancelled_scope_is_settled_before_the_scope_is_left() -> None:
    ledger, read = RememberingLedger(), asyncio.Event()
    async with serving(silent_after(sse(chunk("水")))) as server:
        client = opened(server.url, ledger)
        async with anyio.create_task_group() as group:
            group.start_soon(first_piece, client, read)
            await asyncio.wait_for(read.wait(), SOON_S)
            group.cancel_scope.cancel()

        assert [row.outcome for row in ledger.rows] == [CallOutcome.CANCELLED]
        await client.close()
