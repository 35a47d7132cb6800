"""Many streams at once: each rests between two readings, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from tests.integrations.llm.harness import (
    DONE,
    QUESTION,
    TAG,
    RememberingLedger,
    ScriptedServer,
    chunk,
    end_of,
    opened,
    planned,
    serving,
    silent_after,
    sse,
    streaming,
    text_of,
    usage,
)

from dossier.integrations.llm.client import ChatClient
from dossier.integrations.llm.gathering import Gathering
from dossier.integrations.llm.models import Outcome, StreamEvent, TextDelta
from dossier.integrations.llm.transport import Transport

REST_S = 0.05
TOKENS = [sse(chunk(f" {number}")) for number in range(40)]
LAST = sse(chunk(finish="stop"), usage(20, 40)) + DONE
TALK = streaming(*TOKENS, LAST, pause_s=0.005)
SAID = "".join(f" {number}" for number in range(40))


@asynccontextmanager
async def resting(
    server: ScriptedServer, ledger: RememberingLedger, most_unrested: int = 0
) -> AsyncIterator[ChatClient]:
    """A client in a process where so few streams are many already."""
    transport = Transport.shared(planned(server.url).limits)
    transport.gathering = Gathering(most_unrested, REST_S)
    client = opened(server.url, ledger)
    try:
        yield client
    finally:
        await client.close()
        await transport.close()


async def heard(client: ChatClient) -> list[StreamEvent]:
    return [event async for event in client.stream(QUESTION, TAG)]


def deltas(events: list[StreamEvent]) -> int:
    return sum(isinstance(event, TextDelta) for event in events)


async def test_of_many_streams_several_tokens_come_in_one_piece() -> None:
    ledger = RememberingLedger()
    async with serving(TALK) as server, resting(server, ledger) as client:
        events = await heard(client)

    assert text_of(events) == SAID
    assert end_of(events).usage.output_tokens == 40
    assert deltas(events) <= 20
    assert [row.outcome for row in ledger.rows] == [Outcome.COMPLETED]


async def test_of_few_streams_each_token_comes_by_itself() -> None:
    async with (
        serving(TALK) as server,
        resting(server, RememberingLedger(), most_unrested=2) as client,
        asyncio.TaskGroup() as group,
    ):
        tasks = [group.create_task(heard(client)) for _ in range(2)]

    assert [deltas(task.result()) for task in tasks] == [40, 40]


async def test_the_first_token_does_not_wait() -> None:
    async with (
        serving(silent_after(TOKENS[0])) as server,
        resting(server, RememberingLedger()) as client,
        aclosing(client.stream(QUESTION, TAG)) as events,
        asyncio.timeout(5),
    ):
        first = await anext(events)

    assert first == TextDelta(" 0")


async def test_who_leaves_during_a_rest_ends_the_call() -> None:
    ledger = RememberingLedger()
    async with (
        serving(silent_after(TOKENS[0])) as server,
        resting(server, ledger) as client,
    ):
        async with aclosing(client.stream(QUESTION, TAG)) as events:
            await anext(events)
            waiting = asyncio.ensure_future(anext(events))
            await asyncio.sleep(REST_S / 5)  # it rests
            waiting.cancel()
            await asyncio.wait({waiting})
        await asyncio.wait_for(server.disconnected.wait(), 1)

    assert [row.outcome for row in ledger.rows] == [Outcome.CANCELLED]


async def test_a_connection_that_rested_serves_the_next_call() -> None:
    ledger = RememberingLedger()
    async with serving(TALK) as server, resting(server, ledger) as client:
        said = [text_of(await heard(client)) for _ in range(2)]

    assert said == [SAID, SAID]
    assert len(set(server.peers)) == 1


async def test_a_silence_shorter_than_a_rest_is_still_told() -> None:
    """Where the server may be silent for hardly longer than a rest, there is none."""
    ledger = RememberingLedger()
    async with serving(TALK) as server:
        transport = Transport.shared(planned(server.url).limits)
        transport.gathering = Gathering(0, rest_s=10)
        client = opened(server.url, ledger, idle_timeout_s=5)
        events = await heard(client)
        await client.close()
        await transport.close()

    assert text_of(events) == SAID
    assert deltas(events) == 40
