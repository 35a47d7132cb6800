"""What a client reads: server-sent events, and the answers in their place."""

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from starlette.responses import Response
from tests.factories.runs import get_run, run_when, start_run
from tests.runs.conftest import Process
from tests.runs.scripted import COUNT, TEXT, Talk, all_of
from typing_extensions import override

from dossier.core.database import Engine, SessionFactory, system_transaction
from dossier.runs.constants import FINISHED, RunState, Verb
from dossier.runs.dependencies import get_starting_after, sse_response
from dossier.runs.exceptions import StreamPositionInvalidError
from dossier.runs.gateway import log

Message = MutableMapping[str, Any]


SILENCE_S = 0.3
"""Longer than others may take to say that they read: a tenth of the lease."""
GRACE_S = 0.2
CANCELS: dict[str, Any] = {"on_disconnect": "cancel", "lease_s": 2}


class Client:
    """A client on the other side of the server, who may leave or stop reading."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.chunks: list[bytes] = []
        self.is_done = False
        self.gone = asyncio.Event()
        self._news = asyncio.Event()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message["headers"])
        else:
            self.chunks.append(message.get("body", b""))
            self.is_done = not message.get("more_body", False)
        self._news.set()

    async def until(self, wanted: Callable[[bytes], bool]) -> None:
        while not wanted(self.body):
            self._news.clear()
            await self._news.wait()

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


def begin(client: Client, response: Response) -> asyncio.Task[None]:
    work = response({"type": "http"}, client.receive, client.send)
    return asyncio.ensure_future(asyncio.wait_for(work, 5))


async def test_stream_has_the_shape_that_clients_expect(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine, client = await process(), Client()
    run = await start_run(engine, committed, brand)

    await begin(client, sse_response(engine, brand, run))

    assert client.status == 200
    assert client.headers == {
        b"content-type": b"text/event-stream; charset=utf-8",
        b"cache-control": b"no-cache, no-transform",
        b"x-accel-buffering": b"no",
    }
    first, *frames, end = client.body.split(b"\n\n")
    assert (first, end, client.is_done) == (b"retry: 1000", b"", True)
    for number, frame in enumerate(frames, start=1):
        id_, event, data = frame.split(b"\n")
        members = orjson.loads(data.removeprefix(b"data: "))
        assert id_ == b"id: %d" % number == b"id: %d" % members["sequence_number"]
        assert event == b"event: " + members["type"].encode()
    assert len(frames) == COUNT


async def test_replayed_stream_is_byte_for_byte_the_live_one(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine, other = await process(), await process()
    live, replayed = Client(), Client()
    run = await start_run(engine, committed, brand)

    await begin(live, sse_response(engine, brand, run))
    await begin(replayed, sse_response(other, brand, await get_run(committed, run)))

    assert replayed.body == live.body


async def test_stream_goes_on_after_a_position(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine, client = await process(), Client()
    run = await start_run(engine, committed, brand)

    await begin(client, sse_response(engine, brand, run, 12))

    assert [line for line in client.body.split(b"\n") if line.startswith(b"id")] == [
        b"id: 13",
        b"id: 14",
    ]


async def test_nothing_more_will_come_after_the_last_event(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine, client = await process(), Client()
    run = await start_run(engine, committed, brand)
    ended = await engine.wait(brand, run.id, 5)

    await begin(client, sse_response(engine, brand, ended, COUNT))

    assert (client.status, client.body) == (204, b"")


async def test_position_beyond_the_last_event_of_an_ended_run_is_refused(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine = await process()
    run = await start_run(engine, committed, brand)
    ended = await engine.wait(brand, run.id, 5)

    with pytest.raises(StreamPositionInvalidError):
        sse_response(engine, brand, ended, COUNT + 1)


async def test_position_that_was_never_given_out_is_refused(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine = await process(Talk(pause_at=0))
    run = await start_run(engine, committed, brand)

    header = await get_starting_after("100000", "7")
    query = await get_starting_after("7", "100000")
    for position, name in [
        (100_000, "starting_after"),
        (query, "starting_after"),
        (header, "Last-Event-ID"),
    ]:
        with pytest.raises(StreamPositionInvalidError) as refused:
            sse_response(engine, brand, run, position)
        assert refused.value.faults[0].pointer == name


@pytest.mark.parametrize(
    ("header", "query", "expected"),
    [
        (None, None, 0),
        ("7", None, 7),
        (None, "7", 7),
        ("9", "7", 9),
        ("0", "7", 7),
    ],
)
async def test_the_newer_position_counts(
    header: str | None, query: str | None, expected: int
) -> None:
    assert await get_starting_after(header, query) == expected


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "٣", "9" * 19, "9" * 40])
@pytest.mark.parametrize("name", ["Last-Event-ID", "starting_after"])
async def test_position_that_is_no_number_is_refused(name: str, text: str) -> None:
    given = (text, None) if name == "Last-Event-ID" else (None, text)

    with pytest.raises(StreamPositionInvalidError) as refused:
        await get_starting_after(*given)

    assert refused.value.faults[0].pointer == name


async def test_quiet_stream_says_that_it_is_alive(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    engine, client = await process(Talk(pause_at=0), keep_alive_s=0.02), Client()
    run = await start_run(engine, committed, brand)

    stream = begin(client, sse_response(engine, brand, run))
    await asyncio.wait_for(client.until(lambda body: body.count(b": keep") == 2), 5)
    client.gone.set()
    await stream

    assert client.body.endswith(b": keep-alive\n\n")
    assert client.body.count(b"id: ") == 1


async def test_run_goes_on_when_its_reader_is_gone(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=6)
    engine, client = await process(talk), Client()
    run = await start_run(engine, committed, brand)
    stream = begin(client, sse_response(engine, brand, run))
    await talk.paused.wait()

    client.gone.set()
    await stream
    talk.go.set()
    ended = await engine.wait(brand, run.id, 5)

    assert ended.result == {"text": TEXT}


async def test_run_is_cancelled_with_its_last_reader_where_that_is_wanted(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=6)
    engine = await process(talk, **CANCELS)
    run = await start_run(engine, committed, brand)
    one, two = Client(), Client()
    streams = [begin(each, sse_response(engine, brand, run)) for each in (one, two)]
    await talk.paused.wait()

    one.gone.set()
    await streams[0]
    after_one = await get_run(committed, run)
    two.gone.set()
    await streams[1]
    ended = await run_when(committed, run, lambda now: now.state in FINISHED)

    assert after_one.state is RunState.PROCESSING
    assert ended.state is RunState.CANCELLED


async def test_run_that_is_read_in_another_process_is_not_cancelled(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=6)
    here = await process(talk, **CANCELS)
    there = await process(talk, **CANCELS)
    run = await start_run(here, committed, brand)
    one, two = Client(), Client()
    mine = begin(one, sse_response(here, brand, run))
    other = begin(two, sse_response(there, brand, run))
    await talk.paused.wait()
    await two.until(lambda body: b"retry" in body)

    one.gone.set()
    await mine
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(talk.stopped.wait(), timeout=SILENCE_S)
    two.gone.set()
    await other
    ended = await run_when(committed, run, lambda now: now.state in FINISHED)

    assert ended.state is RunState.CANCELLED


async def test_run_whose_last_readers_leave_two_processes_at_once_is_cancelled(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=6)
    engines = [await process(talk, **CANCELS) for _ in range(2)]
    run = await start_run(engines[0], committed, brand)
    clients = [Client(), Client()]
    streams = [
        begin(client, sse_response(engine, brand, run))
        for client, engine in zip(clients, engines, strict=True)
    ]
    await talk.paused.wait()

    for client in clients:
        client.gone.set()
    await asyncio.wait(streams)
    ended = await run_when(committed, run, lambda now: now.state in FINISHED)

    assert ended.state is RunState.CANCELLED


@pytest.mark.parametrize("says_another", [False, True])
async def test_what_a_process_says_of_its_own_readers_proves_nothing_to_itself(
    says_another: bool,  # noqa: FBT001 - a case
    process: Process,
    committed: SessionFactory,
    brand: UUID,
) -> None:
    talk = Talk(pause_at=6)
    engine = await process(talk, **CANCELS)
    run = await start_run(engine, committed, brand)
    client = Client()
    stream = begin(client, sse_response(engine, brand, run))
    await talk.paused.wait()
    source = uuid4() if says_another else engine.holder.id

    async def say() -> None:
        while True:
            async with system_transaction(committed) as session:
                await log.tell_for_system(session, Verb.READ, [source, run.id])
            await asyncio.sleep(0.005)

    saying = asyncio.create_task(say())
    client.gone.set()
    await stream
    await asyncio.wait({asyncio.create_task(talk.stopped.wait())}, timeout=SILENCE_S)
    saying.cancel()

    assert talk.stopped.is_set() is not says_another
    talk.go.set()


@pytest.mark.parametrize("later_s", [0, GRACE_S / 2])
async def test_run_whose_reader_comes_back_elsewhere_is_not_cancelled(
    later_s: float, process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=6)
    here = await process(talk, **CANCELS)
    there = await process(talk, **CANCELS)
    run = await start_run(here, committed, brand)
    one, two = Client(), Client()
    mine = begin(one, sse_response(here, brand, run))
    await talk.paused.wait()

    one.gone.set()
    await asyncio.sleep(later_s)  # by then all were asked, and nobody answered
    back = begin(two, sse_response(there, brand, run))
    await mine
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(talk.stopped.wait(), timeout=3 * SILENCE_S)
    talk.go.set()
    await back

    assert (await get_run(committed, run)).result == {"text": TEXT}


async def test_run_whose_end_somebody_waits_for_is_not_cancelled(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=6)
    here = await process(talk, **CANCELS)
    there = await process(talk, **CANCELS)
    run = await start_run(here, committed, brand)
    client = Client()
    stream = begin(client, sse_response(here, brand, run))
    waiting = asyncio.create_task(there.wait(brand, run.id, 5))
    await talk.paused.wait()

    client.gone.set()
    await stream
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(talk.stopped.wait(), timeout=SILENCE_S)
    talk.go.set()

    assert (await waiting).state is RunState.COMPLETED


async def test_request_may_choose_what_its_disconnect_means(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=6)
    engine, client = await process(talk), Client()
    run = await start_run(engine, committed, brand)
    response = sse_response(engine, brand, run, on_disconnect="cancel")
    stream = begin(client, response)
    await talk.paused.wait()

    client.gone.set()
    await stream
    ended = await run_when(committed, run, lambda now: now.state in FINISHED)

    assert ended.state is RunState.CANCELLED


async def test_client_who_does_not_read_holds_up_nobody(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    class Stuck(Client):
        @override
        async def send(self, message: Message) -> None:
            await super().send(message)
            await self.gone.wait()

    engine, stuck = await process(), Stuck()
    run = await start_run(engine, committed, brand)
    stream = begin(stuck, sse_response(engine, brand, run))

    events = await all_of(engine.follow(brand, run.id))
    stuck.gone.set()
    await stream

    assert len(events) == COUNT


async def test_two_hundred_clients_that_vanish_leave_nothing_behind(
    process: Process, committed: SessionFactory, brand: UUID, pool: Engine
) -> None:
    talk = Talk(pause_at=6)
    engine = await process(talk)
    run = await start_run(engine, committed, brand)
    clients = [Client() for _ in range(200)]
    streams = [begin(each, sse_response(engine, brand, run)) for each in clients]
    await talk.paused.wait()

    for client in clients:
        client.gone.set()
    await asyncio.wait(streams)
    talk.go.set()
    ended = await engine.wait(brand, run.id, 5)

    assert not engine.has_readers(run.id)
    assert ended.state is RunState.COMPLETED
    await engine.close()
    assert pool.pool.checkedout() == 0  # type: ignore[attr-defined]  # the queue pool


async def test_stream_ends_when_its_process_stops(
    process: Process, committed: SessionFactory, brand: UUID
) -> None:
    talk = Talk(pause_at=6)
    engine, client = await process(talk), Client()
    run = await start_run(engine, committed, brand)
    stream = begin(client, sse_response(engine, brand, run))
    await talk.paused.wait()

    await engine.close(grace_s=0.01)
    await stream

    assert client.is_done
    assert b"response.completed" not in client.body
